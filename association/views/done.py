"""After the journey: the link that leads back in, and the result that can be kept."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.services.capabilities import capability_rows
from association.models import Attempt
from association.services.admission import account_of
from association.services.facts import load_holdings
from association.views.gate import Journey, begin_journey, own_attempt, step_url
from association.views.my_partner import past_line
from web.answers import see_other


def lead_on(request: HttpRequest, attempt: Attempt) -> HttpResponse:
    """Lead to the first undone step, or to where the journey has ended."""
    journey = begin_journey(request, attempt)
    if not isinstance(journey, Journey):
        return journey
    return see_other(step_url(attempt, journey.undone))


resume = own_attempt(lead_on)


@own_attempt
def done(request: HttpRequest, attempt: Attempt) -> HttpResponse:
    if not hasattr(attempt, "association"):
        return lead_on(request, attempt)
    association = attempt.association
    if association.ended_at is not None:
        context = {**past_line(association), "partner": association.partner}
        return render(request, "association/ended.html", context)
    account = account_of(attempt)
    freezes = list(account.freezes.open())
    context = {
        "attempt": attempt,
        "association": association,
        "account": account,
        "partner": association.partner,
        "is_frozen": bool(freezes),
        "holdings": load_holdings(account=account, now=timezone.now()),
        "capabilities": capability_rows(freezes),
        "consents": attempt.consents.select_related("document", "authorization").order_by(
            "agreed_at", "document__kind"
        ),
        "authorization": association.authorizations.open().first(),
    }
    return render(request, "association/done.html", context)
