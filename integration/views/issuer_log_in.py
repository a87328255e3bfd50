"""Logging in at an issuer: the way there, and the way back."""

import secrets
from dataclasses import asdict

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.enums import ConnectionRefusal
from accounts.issuers import Issuer
from accounts.models import User
from accounts.services.connected_logins import connect_login, find_connected_user
from accounts.services.issuer_registration import (
    claim_account,
    claim_user,
    is_address_taken,
    refresh_name,
)
from integration.enums import FlowPurpose, LogInProblem
from integration.services.id_tokens import (
    identity_in,
    lacks_claims,
    name_in,
    read_person,
)
from integration.services.issuer_flows import (
    Answer,
    Flow,
    ask_for_more,
    authorization_url,
    new_flow,
    redeem_code,
)
from integration.views.issuer_pages import enter, issuer_or_404, open_attempt, problem_page
from integration.views.issuer_registration import register_or_ask
from web import limits
from web.answers import limited, posts_only, see_other
from web.refused import Refused
from web.session_life import is_fresh
from web.typed_text import clean_line

# In the session: by its state, each log-in that was begun. So tabs are independent.
_FLOWS = "issuer_flows"
MOST_FLOWS = 5


@login_not_required
@limited
@posts_only("account_login")
def start(request: HttpRequest, issuer_id: str) -> HttpResponse:
    """Send the browser to the issuer."""
    issuer = issuer_or_404(issuer_id)
    limits.count_use("issuer_log_in")
    purpose, typed = request.POST.get("purpose", ""), request.POST.get("next", "")
    is_connecting = purpose == FlowPurpose.CONNECT
    if is_connecting and not request.user.is_authenticated:
        return see_other("account_login")
    if is_connecting and not is_fresh(request.session):
        # Whoever finds a browser logged in cannot repeat the log-in, to add one of their own.
        return problem_page(request, issuer, Refused(LogInProblem.LOG_IN_OLD), "")
    flow = new_flow(
        issuer,
        FlowPurpose(purpose) if purpose in set(FlowPurpose) else FlowPurpose.LOG_IN,
        next_url=typed if typed and get_adapter().is_safe_url(typed) else "",
        user_id=request.user.pk if is_connecting else None,
        now=timezone.now(),
    )
    state = secrets.token_urlsafe(32)
    try:
        url = authorization_url(issuer, flow, state)
    except Refused as refused:
        return problem_page(request, issuer, refused, flow.next_url)
    _keep_flow(request, state, flow)
    return see_other(url)


def _keep_flow(request: HttpRequest, state: str, flow: Flow) -> None:
    begun = request.session.get(_FLOWS, {}).items()
    latest = sorted(begun, key=lambda entry: entry[1]["begun_at"])[1 - MOST_FLOWS :]
    request.session[_FLOWS] = dict([*latest, (state, asdict(flow))])


@login_not_required
@limited
@require_safe
def callback(request: HttpRequest, issuer_id: str) -> HttpResponse:
    """Log in whom the issuer sends back. State, nonce and PKCE take the place of a CSRF token."""
    issuer = issuer_or_404(issuer_id)
    if request.method == "HEAD":
        # It would use up the state, and the GET that follows would find nothing.
        return HttpResponse()
    flow = _take_flow(request, issuer)
    try:
        if flow is None:
            raise Refused(LogInProblem.FLOW_UNKNOWN)
        answer = redeem_code(issuer, flow, _code_in(request, issuer))
        if flow.purpose == FlowPurpose.CONNECT:
            return _connect(request, issuer, flow, answer)
        return _log_in(request, issuer, flow, answer)
    except Refused as refused:
        return problem_page(request, issuer, refused, flow.next_url if flow else "")


def _take_flow(request: HttpRequest, issuer: Issuer) -> Flow | None:
    """Return what this browser began with this state, which is used up by it."""
    begun = request.session.get(_FLOWS, {})
    state = request.GET.get("state", "")
    if state not in begun:
        return None
    flow = Flow(**begun[state])
    request.session[_FLOWS] = {key: row for key, row in begun.items() if key != state}
    return flow if flow.issuer_id == issuer.id and flow.is_open(timezone.now()) else None


def _code_in(request: HttpRequest, issuer: Issuer) -> str:
    """Return the code. Raises Refused, also for an answer of another issuer (RFC 9207)."""
    query = request.GET
    if query.get("iss", issuer.issuer) != issuer.issuer:
        raise Refused(LogInProblem.ANSWER_WRONG, reasons=["iss"])
    if query.get("error") == "access_denied":
        raise Refused(LogInProblem.CANCELLED)
    if "error" in query:
        raise Refused(LogInProblem.ISSUER_REFUSED, reasons=[clean_line(query["error"])[:64]])
    if not query.get("code"):
        raise Refused(LogInProblem.ANSWER_WRONG, reasons=["code"])
    return query["code"]


def _connect(request: HttpRequest, issuer: Issuer, flow: Flow, answer: Answer) -> HttpResponse:
    user = request.user
    if not isinstance(user, User) or user.pk != flow.user_id:
        raise Refused(LogInProblem.FLOW_UNKNOWN)
    identity = identity_in(issuer, answer.claims)
    connect_login(user=user, identity=identity, by=user, now=timezone.now())
    text = _("From now on you can log in with %(issuer)s.")
    messages.success(request, text % {"issuer": issuer.name})
    return redirect("account_settings")


def _log_in(request: HttpRequest, issuer: Issuer, flow: Flow, answer: Answer) -> HttpResponse:
    second_factor = issuer.confirms_second_factor(answer.claims)
    user = find_connected_user(identity_in(issuer, answer.claims))
    if user is not None:
        response = enter(request, issuer, user, flow.next_url, second_factor=second_factor)
        if issuer.refreshes_name:
            refresh_name(user=user, name=name_in(issuer, answer.claims), now=timezone.now())
        return response
    claims = ask_for_more(issuer, answer) if lacks_claims(issuer, answer.claims) else answer.claims
    person = read_person(issuer, claims)
    user = claim_account(person=person, now=timezone.now())
    if user is not None:
        return enter(request, issuer, user, flow.next_url, second_factor=second_factor)
    if is_address_taken(person.email):
        raise Refused(ConnectionRefusal.ADDRESS_TAKEN)
    attempt = open_attempt(request, flow.next_url)
    if attempt is not None:
        return register_or_ask(request, issuer, attempt, person, second_factor=second_factor)
    user = claim_user(person=person, language=request.LANGUAGE_CODE, now=timezone.now())
    if user is None:
        raise Refused(LogInProblem.NO_ACCOUNT)
    return enter(request, issuer, user, flow.next_url, second_factor=second_factor)
