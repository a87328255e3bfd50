"""Account name and password: the signed-in user changes them."""

from typing import cast

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.forms import ChangePasswordForm, RenameForm, is_password_right, refusals_as_errors
from accounts.models import User
from accounts.services.account_names import rename_account
from accounts.services.passwords import change_password
from web import limits
from web.answers import limited, posted, see_other

_READ_AND_POST = require_http_methods(["GET", "HEAD", "POST"])


@_READ_AND_POST
@sensitive_post_parameters("present_password", "password")
@limited
def change(request: HttpRequest) -> HttpResponse:
    user = cast("User", request.user)
    form = ChangePasswordForm(posted(request), user=user)
    if form.is_valid() and is_password_right(
        form, "present_password", user=user, action="change_password"
    ):
        password = form.cleaned_data["password"]
        changed = change_password(user=user, password=password, by=user, now=timezone.now())
        update_session_auth_hash(request, changed)
        messages.success(
            request, _("Your password has been changed. You are logged out elsewhere.")
        )
        return see_other("account_settings")
    status = 400 if form.errors else 200
    return render(request, "account/password_change.html", {"form": form}, status=status)


@_READ_AND_POST
@limited
def settings(request: HttpRequest) -> HttpResponse:
    user = cast("User", request.user)
    form = RenameForm(posted(request))
    if form.is_valid():
        limits.count_use("rename_account", f"user {user.pk}")
        with refusals_as_errors(form, "account_name"):
            rename_account(user=user, by=user, now=timezone.now(), **form.cleaned_data)
            messages.success(request, _("Your account name has been changed."))
            return see_other("account_settings")
    context = {"form": form, "may_rename": user.account_name_changed_at is None}
    status = 400 if form.errors else 200
    return render(request, "account/settings.html", context, status=status)
