"""Log-in and security: what the user logs in with, and how to change it."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.forms import RenameForm, refusals_as_errors
from accounts.models import User
from accounts.services.account_names import rename_account
from web import limits
from web.answers import limited, posted, see_other


@require_http_methods(["GET", "HEAD", "POST"])
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
