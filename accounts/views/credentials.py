"""Account name and password: the signed-in user changes them."""

from typing import cast

from django.conf import settings as site_settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.forms import ChangePasswordForm, RenameForm, is_password_right, refusals_as_errors
from accounts.issuer_logins import names_issuers
from accounts.models import User
from accounts.refusals import refusal_sentence
from accounts.services.account_names import rename_account
from accounts.services.connected_logins import disconnect_login, list_connected_logins
from accounts.services.passwords import change_password
from web import limits
from web.answers import limited, posted, posts_only, see_other
from web.refused import Refused

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


@names_issuers
@posts_only("account_settings")
def disconnect(request: HttpRequest, login_id: int) -> HttpResponse:
    """Take a log-in at an issuer away from the signed-in user."""
    user = cast("User", request.user)
    try:
        disconnect_login(user=user, login_id=login_id, by=user, now=timezone.now())
    except Refused as refused:
        messages.error(request, refusal_sentence(refused))
        return _show_settings(request, RenameForm(), status=409)
    messages.success(request, _("The log-in is no longer connected."))
    return see_other("account_settings")


@names_issuers
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
    return _show_settings(request, form, status=400 if form.errors else 200)


def _show_settings(request: HttpRequest, form: RenameForm, *, status: int) -> HttpResponse:
    user = cast("User", request.user)
    logins = list_connected_logins(user.pk)
    connected = {login.issuer for login in logins}
    context = {
        "form": form,
        "may_rename": user.account_name_changed_at is None,
        "has_password": user.has_usable_password(),
        "logins": logins,
        "connectable": [row for row in site_settings.OIDC_PROVIDERS if row.issuer not in connected],
    }
    return render(request, "account/settings.html", context, status=status)
