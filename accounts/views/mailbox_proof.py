"""A log-in with a new browser, at an account that others guess at: a code proves the mailbox."""

import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.forms import LogInCodeForm, MailboxForm, refusals_as_errors
from accounts.known_browsers import remember_known_browser
from accounts.services.codes import LIFETIME, PAUSE
from accounts.services.log_in import MailboxUnproven, prove_mailbox, send_log_in_code
from accounts.views.sent_codes import CodeFacts
from web import limits
from web.answers import as_refusal, limited, posted, posts_only, see_other, wait_before_retry
from web.moments import clock_text, next_minute

_READ_AND_POST = require_http_methods(["GET", "HEAD", "POST"])
# In the session: the login, the address that was typed, in its canonical form, whether the login's
# password was typed, the flow that the code belongs to, what the page tells of it, and `next`.
# Earlier versions used another name, also for addresses that were the owner's and not typed.
_STARTED = "mailbox_of_log_in"
Started = dict[str, Any]
_IN_A_MINUTE, _IN_AN_HOUR = "log_in_code", "log_in_codes_in_an_hour"


def ask_for_proof(request: HttpRequest, unproven: MailboxUnproven) -> HttpResponse:
    """Answer a log-in: too many guesses at this account. Later it works without a code."""
    login = request.POST.get("login", "").strip()
    signer = _signer_of(login, knows_password=unproven.knows_password)
    ticket = signer.sign(secrets.token_urlsafe(12))
    form = MailboxForm(initial={**request.POST.dict(), "ticket": ticket})
    template = "account/mailbox_unproven.html"
    return wait_before_retry(request, template, 429, seconds=unproven.seconds, form=form)


def _signer_of(login: str, *, knows_password: bool) -> TimestampSigner:
    # What is signed is random: without the key a ticket does not tell which of the two it is.
    return TimestampSigner(salt=f"accounts.mailbox_proof {knows_password} {login}")


def _is_ticket(ticket: str, login: str, *, knows_password: bool) -> bool:
    try:
        _signer_of(login, knows_password=knows_password).unsign(ticket, max_age=LIFETIME)
    except BadSignature:
        return False
    return True


@posts_only("account_prove_mailbox")
@login_not_required
@limited
def send_code(request: HttpRequest) -> HttpResponse:
    """Begin the proof: send the first code to the address that was typed, as login or here.

    Without the ticket of a log-in that asked for a proof nothing is sent: it leads to the log-in.
    """
    form = MailboxForm(posted(request))
    if not form.is_valid():
        return render(request, "account/mailbox_unproven.html", {"form": form}, status=400)
    typed = form.cleaned_data
    login, ticket = typed["login"], typed["ticket"]
    knows_password = _is_ticket(ticket, login, knows_password=True)
    if not knows_password and not _is_ticket(ticket, login, knows_password=False):
        return see_other("account_login")
    # Two clicks are one flow, because the form names it.
    started = {
        "login": login,
        "email": form.canonical_email,
        "flow": typed["flow"].hex,
        "knows_password": knows_password,
        REDIRECT_FIELD_NAME: typed[REDIRECT_FIELD_NAME],
    }
    before = _started_in(request)
    is_same = before is not None and before["email"] == started["email"]
    return _send(request, started, before if is_same else None)


@posts_only("account_prove_mailbox")
@login_not_required
@limited
def send_new_code(request: HttpRequest) -> HttpResponse:
    """Send another code of the proof that this session has begun."""
    started = _started_in(request)
    if started is None:
        return see_other("account_login")
    return _send(request, started, started)


def _started_in(request: HttpRequest) -> Started | None:
    """Return the proof that this session has begun."""
    started: Started | None = request.session.get(_STARTED)
    return started


def _send(request: HttpRequest, started: Started, before: Started | None) -> HttpResponse:
    """Send a code, if the limits of the address allow one.

    What the page tells depends on the requests for this address from this network alone, so it is
    the same for every address, known or not. `before`: the proof of this address that was begun
    earlier.
    """
    limits.count_use("send_code")
    key, now = f"{started['email']} from {limits.client_network()}", timezone.now()
    try:
        _count_code(key)
    except limits.LimitReached as reached:
        kept = before or {**started, "code": CodeFacts(now, None, now).to_keep()}
        request.session[_STARTED] = kept
        page = _show(request, kept, LogInCodeForm(), problem=_too_soon(reached))
        return as_refusal(page, reached.again_at)
    known = {name: started[name] for name in ("email", "login", "flow", "knows_password")}
    send_log_in_code(**known, language=get_language(), now=now)
    facts = CodeFacts(now, now + PAUSE, now)
    request.session[_STARTED] = {**started, "code": facts.to_keep()}
    return see_other("account_prove_mailbox")


def _count_code(key: str) -> None:
    """Count a code within the minute and within the hour, or within neither.

    Raises LimitReached: of the limits that are reached, the one that ends last.
    """
    found = []
    for action in (_IN_A_MINUTE, _IN_AN_HOUR):
        try:
            limits.check_limit(action, key)
        except limits.LimitReached as reached:
            found.append(reached)
    if found:
        raise max(found, key=lambda reached: reached.seconds)
    # Of two clicks at once the minute refuses one before the hour counts it.
    limits.count_use(_IN_A_MINUTE, key)
    limits.count_use(_IN_AN_HOUR, key)


def _too_soon(reached: limits.LimitReached) -> str:
    if reached.action == _IN_A_MINUTE:
        text = ngettext(
            "No new code: one was requested less than a minute ago; the next is possible in"
            " %(wait)s second.",
            "No new code: one was requested less than a minute ago; the next is possible in"
            " %(wait)s seconds.",
            reached.seconds,
        )
        return text % {"wait": reached.seconds}
    most, _seconds = settings.RATE_LIMITS[_IN_AN_HOUR]
    text = ngettext(
        "No new code: %(most)s was requested within the hour; the next is possible at %(at)s.",
        "No new code: %(most)s were requested within the hour; the next is possible at %(at)s.",
        most,
    )
    again_at = timezone.now() + timedelta(seconds=reached.seconds)
    return text % {"most": most, "at": clock_text(next_minute(again_at))}


@_READ_AND_POST
@sensitive_post_parameters("code")
@login_not_required
@limited
def prove(request: HttpRequest) -> HttpResponse:
    started = _started_in(request)
    if started is None:
        return redirect("account_login")
    form = LogInCodeForm(posted(request))
    if form.is_valid():
        email, flow = started["email"], started["flow"]
        with refusals_as_errors(form, "code"):
            code, now = form.cleaned_data["code"], timezone.now()
            user = prove_mailbox(email=email, flow=flow, code=code, now=now)
            del request.session[_STARTED]
            messages.success(request, _("Thank you. Now log in with your password."))
            query = urlencode({REDIRECT_FIELD_NAME: started[REDIRECT_FIELD_NAME]})
            response = see_other(f"{reverse('account_login')}?{query}")
            remember_known_browser(response, user)
            return response
    return _show(request, started, form, status=400 if form.errors else 200)


def _show(
    request: HttpRequest,
    started: Started,
    form: LogInCodeForm,
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    code = CodeFacts.restore(started["code"], now=timezone.now())
    context = {"form": form, "email": started["email"], "code": code, "problem": problem}
    return render(request, "account/prove_mailbox.html", context, status=status)
