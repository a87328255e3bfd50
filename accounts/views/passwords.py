"""A forgotten password: a code by e-mail, then a new password. And changing it when logged in."""

from typing import Any, cast

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

from accounts.adapters import failed_login_key
from accounts.enums import CodePurpose
from accounts.forms import ChangePasswordForm, NewPasswordForm, ResetPasswordForm
from accounts.models import User
from accounts.refusals import refusal_sentence
from accounts.services.codes import send_code
from accounts.services.passwords import change_password, reset_password
from web import limits
from web.answers import limited, posted, see_other
from web.email_addresses import canonical_address
from web.refused import Refused

_READ_AND_POST = require_http_methods(["GET", "HEAD", "POST"])
# In the session: the flow that a reset belongs to, and the e-mail address as it was typed.
_RESET = "password_reset"


@_READ_AND_POST
@login_not_required
@limited
def forgotten(request: HttpRequest) -> HttpResponse:
    form = ResetPasswordForm(posted(request))
    if form.is_valid():
        limits.count_use("send_code")
        flow = form.cleaned_data["flow"] or form.fields["flow"].initial()
        request.session[_RESET] = {"flow": flow.hex, "email": form.cleaned_data["email"]}
        _send(request)
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
        return _send_again(request)
    form = NewPasswordForm(posted(request), email=canonical_address(started["email"]))
    if form.is_valid() and _is_reset(form, flow=started["flow"]):
        messages.success(request, _("Your password has been changed. Log in with the new one."))
        return see_other("account_login")
    context = {"form": form, "email": started["email"]}
    status = 400 if form.errors else 200
    return render(request, "account/confirm_password_reset_code.html", context, status=status)


@_READ_AND_POST
@sensitive_post_parameters("present_password", "password")
@limited
def change(request: HttpRequest) -> HttpResponse:
    user = cast("User", request.user)
    form = ChangePasswordForm(posted(request), user=user)
    if form.is_valid() and _is_present_password(form):
        password = form.cleaned_data["password"]
        changed = change_password(user=user, password=password, by=user, now=timezone.now())
        update_session_auth_hash(request, changed)
        messages.success(
            request, _("Your password has been changed. You are logged out elsewhere.")
        )
        return see_other("account_settings")
    status = 400 if form.errors else 200
    return render(request, "account/password_change.html", {"form": form}, status=status)


def _send_again(request: HttpRequest) -> HttpResponse:
    """Send another code, if its limits allow one; the answer is the same if not."""
    limits.count_use("send_code")
    _send(request)
    messages.success(
        request, _("If the time between two codes has passed, a new one is on its way.")
    )
    return see_other("account_confirm_password_reset_code")


def _send(request: HttpRequest) -> None:
    started: dict[str, Any] = request.session[_RESET]
    send_code(
        email=canonical_address(started["email"]),
        purpose=CodePurpose.RESET_PASSWORD,
        flow=started["flow"],
        language=get_language(),
        now=timezone.now(),
    )


def _is_reset(form: NewPasswordForm, *, flow: str) -> bool:
    try:
        user = reset_password(email=form.email, flow=flow, now=timezone.now(), **form.cleaned_data)
    except Refused as refused:
        form.add_error("code", refusal_sentence(refused))
        return False
    limits.clear_limit("login_failed", failed_login_key(f"user {user.pk}"))
    return True


def _is_present_password(form: ChangePasswordForm) -> bool:
    limits.count_use("change_password", f"user {form.user.pk}")
    if form.user.check_password(form.cleaned_data["present_password"]):
        return True
    form.add_error("present_password", _("That is not your password."))
    return False
