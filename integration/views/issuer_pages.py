"""What the pages of a log-in at an issuer share: the log-in itself, and the page of a problem."""

from allauth.account.utils import perform_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.enums import ConnectionRefusal
from accounts.issuer_logins import note_issuer_login
from accounts.issuers import Issuer, issuer_with_id
from accounts.models import User
from accounts.services.log_in import may_log_in
from association.adapters import attempt_in
from association.models import Attempt
from association.services.attempts import find_attempt
from association.views.gate import is_of_browser
from integration.enums import LogInProblem
from integration.refusals import sentence_for
from web.answers import as_refusal
from web.refused import Refused

# Answered 409: the account here is not in the state that the log-in needs.
_CONFLICTS = {*ConnectionRefusal, LogInProblem.NO_ACCOUNT, LogInProblem.LOG_IN_OLD}


def issuer_or_404(issuer_id: str) -> Issuer:
    issuer = issuer_with_id(issuer_id)
    if issuer is None:
        raise Http404
    return issuer


def problem_page(
    request: HttpRequest, issuer: Issuer, refused: Refused, next_url: str
) -> HttpResponse:
    """Say in plain words why the person is not logged in, and what to do."""
    context = {
        "issuer": issuer,
        "code": refused.code.value,
        "sentence": sentence_for(refused),
        "next_url": next_url,
    }
    page = render(request, "integration/log_in_problem.html", context, status=400)
    if refused.code == LogInProblem.ISSUER_UNAVAILABLE:
        if refused.again_at is not None:
            as_refusal(page, refused.again_at)
        page.headers.setdefault("Retry-After", "10")
        page.status_code = 503
    elif refused.code in _CONFLICTS:
        page.status_code = 409
    return page


def open_attempt(request: HttpRequest, next_url: str) -> Attempt | None:
    """Return the attempt that the log-in returns to, if this browser may still register in it."""
    attempt_id = attempt_in(next_url)
    attempt = find_attempt(attempt_id) if attempt_id is not None else None
    if attempt is None or attempt.account is not None or hasattr(attempt, "association"):
        return None
    return attempt if is_of_browser(request, attempt) else None


def enter(
    request: HttpRequest, issuer: Issuer, user: User, next_url: str, *, second_factor: bool
) -> HttpResponse:
    """Log the user in; our second step is asked for where it is on and the issuer had none.

    Raises Refused: NOT_ACTIVE.
    """
    if not may_log_in(user):
        raise Refused(ConnectionRefusal.NOT_ACTIVE)
    note_issuer_login(request.session, user, issuer, second_factor=second_factor)
    response: HttpResponse = perform_login(
        request, user, email_verification="none", redirect_url=next_url or None
    )
    return response
