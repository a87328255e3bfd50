"""Account name and password: the user changes them, or sets a new password with a code."""

from typing import cast

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.enums import CodePurpose
from accounts.forms import (
    ChangePasswordForm,
    NewPasswordForm,
    RenameForm,
    ResetPasswordForm,
    is_password_right,
    refusals_as_errors,
)
from accounts.known_browsers import remember_known_browser
from accounts.models import User
from accounts.services.account_names import rename_account
from accounts.services.codes import send_code
from accounts.services.log_in import forget_failed_logins
from accounts.services.passwords import change_password, reset_password
from web import limits
from web.answers import limited, posted, see_other
from web.email_addresses import canonical_address

_READ_AND_POST = require_http_methods(["GET", "HEAD", "POST"])
# In the session: the flow that a reset belongs to, and the e-mail address as it was typed.
_RESET = "password_reset"


@_READ_AND_POST
@login_not_required
@limited
def forgotten(request: HttpRequest) -> HttpResponse:
    form = ResetPasswordForm(posted(request))
    if form.is_valid():
        flow = form.cleaned_data["flow"] or form.fields["flow"].initial()
        started = {"flow": flow.hex, "email": form.cleaned_data["email"]}
        _send_code(started)
        request.session[_RESET] = started
        return see_other("account_confirm_password_reset_code")
    status = 400 if form.errors else 200
    return render(request, "account/password_reset.html", {"form": form}, status=status)


@_READ_AND_POST
@sensitive_post_parameters("code", "password")
@login_not_required
@limited
def reset(request: HttpRequest) -> HttpResponse:
    started = request.session.get(_RESET)
    if started is None:
        return redirect("account_reset_password")
    if request.POST.get("action") == "send_code":
        _send_code(started)
        # The same answer where a limit of the address allowed no code.
        messages.success(
            request, _("If the time between two codes has passed, a new one is on its way.")
        )
        return see_other("account_confirm_password_reset_code")
    form = NewPasswordForm(posted(request), email=canonical_address(started["email"]))
    if form.is_valid():
        with refusals_as_errors(form, "code"):
            values, now = form.cleaned_data, timezone.now()
            user = reset_password(email=form.email, flow=started["flow"], now=now, **values)
            forget_failed_logins(user)
            messages.success(request, _("Your password has been changed. Log in with the new one."))
            response = see_other("account_login")
            remember_known_browser(response, user)
            return response
    context = {"form": form, "email": started["email"]}
    status = 400 if form.errors else 200
    return render(request, "account/confirm_password_reset_code.html", context, status=status)


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


def _send_code(started: dict[str, str]) -> None:
    limits.count_use("send_code")
    send_code(
        email=canonical_address(started["email"]),
        purpose=CodePurpose.RESET_PASSWORD,
        flow=started["flow"],
        language=get_language(),
        now=timezone.now(),
    )
