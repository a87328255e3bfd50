"""After the journey: the link that leads back in, and the result that can be kept."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from association.models import Association, Attempt
from association.services.admission import account_of
from association.services.attempts import last_moment_of
from association.services.endings import freezes_after
from association.services.freeze_advice import find_advice
from association.views.frozen import account_context
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
        others = Association.objects.in_force().filter(account=association.account_id)
        # Since the account has another partner, that one may bill, and freezes.
        is_latest = not others.exists()
        context = {
            **past_line(association),
            "partner": association.partner,
            "provider_bills": is_latest,
            "after": freezes_after(association) if is_latest else None,
            "may_join": timezone.now() <= last_moment_of(account_of(attempt)),
        }
        return render(request, "association/ended.html", context)
    account, now = account_of(attempt), timezone.now()
    rows = find_advice(account, association, now=now)
    context = {
        "association": association,
        "account": account,
        "partner": association.partner,
        **account_context(account, rows, association, now),
        "consents": attempt.consents.select_related(
            "document", "authorization__association"
        ).order_by("-agreed_at", "-pk"),
        "console_url": settings.PROVIDER_CONSOLE_URL,
    }
    return render(request, "association/done.html", context)
