"""After the journey: the way back in, and the result that can be kept."""

from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.services.capabilities import capability_rows
from association.models import Attempt
from association.services.admission import account_of
from association.views.gate import Journey, begin_journey, own_attempt, speak_language_of, step_url
from web.answers import see_other


@login_not_required
@require_safe
def resume(request: HttpRequest, attempt_id: UUID) -> HttpResponseBase:
    """Lead to the first undone step of one's attempt, or to its result."""
    attempt = own_attempt(request, attempt_id)
    if not isinstance(attempt, Attempt):
        return attempt
    speak_language_of(request, attempt)
    journey = begin_journey(request, attempt)
    if not isinstance(journey, Journey):
        return journey
    return see_other(step_url(attempt, journey.undone))


@login_not_required
@require_safe
def done(request: HttpRequest, attempt_id: UUID) -> HttpResponseBase:
    """Show what is true now, what happens next, and whom to ask; to keep and to print."""
    attempt = own_attempt(request, attempt_id)
    if not isinstance(attempt, Attempt):
        return attempt
    speak_language_of(request, attempt)
    if not hasattr(attempt, "association"):
        return resume(request, attempt_id)
    return render(request, "association/done.html", result_context(attempt))


def result_context(attempt: Attempt) -> dict[str, object]:
    """Return what the result page shows, as it is at this moment."""
    association = attempt.association
    account = account_of(attempt)
    freezes = list(account.freezes.open())
    return {
        "attempt": attempt,
        "association": association,
        "account": account,
        "partner": association.partner,
        "is_frozen": bool(freezes),
        "capabilities": capability_rows(freezes),
        "consents": attempt.consents.select_related("document", "authorization").order_by("pk"),
        "authorization": association.authorizations.open().first(),
    }
