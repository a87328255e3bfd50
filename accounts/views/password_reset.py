"""A forgotten password: a code to the mailbox, with which the user sets a new one."""

from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.enums import CodePurpose
from accounts.forms import NewPasswordForm, ResetPasswordForm, refusals_as_errors
from accounts.known_browsers import find_known_browser, remember_known_browser
from accounts.refusals import refusal_sentence
from accounts.services.codes import code_holder, find_usable_code, send_code
from accounts.services.log_in import forget_failed_logins
from accounts.services.passwords import reset_password
from accounts.views.sent_codes import CodeFacts
from web import limits
from web.answers import as_refusal, limited, posted, see_other
from web.email_addresses import canonical_address, is_address
from web.refused import Refused

_READ_AND_POST = require_http_methods(["GET", "HEAD", "POST"])
# In the session: the flow that a reset belongs to, the e-mail address as it was typed, what the
# page tells of the code, and `next`.
_RESET = "password_reset"
Started = dict[str, Any]


@_READ_AND_POST
@login_not_required
@limited
def forgotten(request: HttpRequest) -> HttpResponse:
    form = ResetPasswordForm(posted(request))
    if not form.is_valid():
        return _show_forgotten(request, form, status=400 if form.errors else 200)
    flow = form.cleaned_data["flow"] or form.fields["flow"].initial()
    typed = form.cleaned_data["email"]
    limits.count_use("send_code")
    try:
        started = _send_code(request, typed, flow.hex)
    except Refused as refused:
        earlier = _earlier_code(request, typed, flow.hex, refused)
        if earlier is None:
            page = _show_forgotten(request, form, problem=str(refusal_sentence(refused)))
            return as_refusal(page, refused.again_at)
        request.session[_RESET] = {**earlier, REDIRECT_FIELD_NAME: _next_of(request)}
        return _send_no_code(request, earlier, refused)
    request.session[_RESET] = {**started, REDIRECT_FIELD_NAME: _next_of(request)}
    return see_other("account_confirm_password_reset_code")


def _show_forgotten(
    request: HttpRequest, form: ResetPasswordForm, *, problem: str = "", status: int = 200
) -> HttpResponse:
    context = {"form": form, "problem": problem, **_where_from(request, _next_of(request))}
    return render(request, "account/password_reset.html", context, status=status)


def _next_of(request: HttpRequest) -> str:
    """Return the page of ours to which the log-in leads afterwards, or nothing."""
    asked = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME, "")
    return asked if get_adapter().is_safe_url(asked) else ""


def _where_from(request: HttpRequest, next_url: str) -> dict[str, Any]:
    return {
        **get_adapter().where_from(request, next_url),
        "next_url": next_url,
        "log_in_url": _with_next("account_login", next_url),
        "reset_url": _with_next("account_reset_password", next_url),
    }


def _with_next(page: str, next_url: str) -> str:
    query = urlencode({REDIRECT_FIELD_NAME: next_url})
    return f"{reverse(page)}?{query}" if next_url else reverse(page)


@_READ_AND_POST
@sensitive_post_parameters("code", "password")
@login_not_required
@limited
def reset(request: HttpRequest) -> HttpResponse:
    started = request.session.get(_RESET)
    # The address is as old as the session: the rules may refuse it by now.
    if started is None or not is_address(started["email"]):
        return redirect("account_reset_password")
    if request.POST.get("action") == "send_code":
        return _send_new_code(request, started)
    form = NewPasswordForm(posted(request), email=canonical_address(started["email"]))
    if form.is_valid():
        with refusals_as_errors(form, "code"):
            values, now = form.cleaned_data, timezone.now()
            user = reset_password(email=form.email, flow=started["flow"], now=now, **values)
            forget_failed_logins(user)
            messages.success(request, _("Your password has been changed. Log in with the new one."))
            response = see_other(_with_next("account_login", started[REDIRECT_FIELD_NAME]))
            remember_known_browser(response, user)
            return response
    return _show_reset(request, started, form, status=400 if form.errors else 200)


def _send_new_code(request: HttpRequest, started: Started) -> HttpResponse:
    limits.count_use("send_code")
    try:
        sent = _send_code(request, started["email"], started["flow"])
        request.session[_RESET] = {**started, **sent}
    except Refused as refused:
        return _send_no_code(request, started, refused)
    return see_other("account_confirm_password_reset_code")


def _send_no_code(request: HttpRequest, started: Started, refused: Refused) -> HttpResponse:
    """Say why and until when no new code is possible; the earlier one can be typed."""
    form = NewPasswordForm(email=canonical_address(started["email"]))
    page = _show_reset(request, started, form, problem=str(refusal_sentence(refused)))
    return as_refusal(page, refused.again_at)


def _show_reset(
    request: HttpRequest,
    started: Started,
    form: NewPasswordForm,
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "email": started["email"],
        "code": CodeFacts.restore(started["code"], now=timezone.now()),
        "problem": problem,
        **_where_from(request, started.get(REDIRECT_FIELD_NAME, "")),
    }
    return render(request, "account/confirm_password_reset_code.html", context, status=status)


def _send_code(request: HttpRequest, typed: str, flow: str) -> Started:
    """Send a code; return what to keep of it. Raises Refused, as the service.

    A browser that the owner has logged in with gets the codes that are kept for the owner.
    """
    email, purpose = canonical_address(typed), CodePurpose.RESET_PASSWORD
    sent = send_code(
        email=email,
        purpose=purpose,
        flow=flow,
        language=get_language(),
        now=timezone.now(),
        from_owner=find_known_browser(request, code_holder(email, purpose)) is not None,
    )
    facts = CodeFacts(sent.row.sent_at, sent.again_at, now=timezone.now())
    return {"flow": flow, "email": typed, "code": facts.to_keep()}


def _earlier_code(request: HttpRequest, typed: str, flow: str, refused: Refused) -> Started | None:
    """Return a code to this address that can still be typed, of this click or of this session."""
    email, now = canonical_address(typed), timezone.now()
    for known in (flow, request.session.get(_RESET, {}).get("flow")):
        purpose = CodePurpose.RESET_PASSWORD
        row = find_usable_code(email=email, purpose=purpose, flow=known or "", now=now)
        if row is not None:
            facts = CodeFacts(row.sent_at, refused.again_at, now)
            return {"flow": known, "email": typed, "code": facts.to_keep()}
    return None
