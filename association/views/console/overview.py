"""The partner's console: who and what waits for the partner, and how the last 30 days went."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from association.services.funnel import funnel_of, refused_by_cause
from association.services.refusal_texts import REFUSAL_TEXTS
from association.services.waiting import (
    REQUESTS_SHOWN,
    SHOWN,
    customers_asking,
    customers_out_of_budget,
    customers_waiting,
    invitations_expiring,
    requests_open,
)
from partners.models import PartnerMember
from partners.services.pages import Count
from partners.views.funnels import bars_of
from partners.views.gate import for_members, show

PAGE = "association/console/overview.html"


@require_safe
@for_members
def overview(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    """Show what waits for the member first, then how people came along."""
    now = timezone.now()
    funnel = funnel_of(member=member, now=now)
    waiting, out = list(customers_waiting(member)), list(customers_out_of_budget(member))
    asking, asked = list(customers_asking(member)), list(requests_open(member))
    context = {
        "waiting": waiting[:SHOWN],
        "more_waiting": len(waiting) > SHOWN,
        "out_of_budget": out[:SHOWN],
        "more_out_of_budget": len(out) > SHOWN,
        "asking": asking[:SHOWN],
        "more_asking": len(asking) > SHOWN,
        "requests": asked[:REQUESTS_SHOWN],
        "more_requests": len(asked) > REQUESTS_SHOWN,
        "expiring": invitations_expiring(member=member, now=now),
        "causes": _causes(member, now),
        "bars": bars_of(
            started=funnel.started,
            registered=funnel.registered,
            associated=funnel.associated,
            refused=funnel.refused,
        ),
        "is_new": not funnel.has_invitations,
    }
    return show(request, member, PAGE, context, section="overview")


def _causes(member: PartnerMember, now: datetime) -> list[dict[str, Any]]:
    return [
        {"code": code, "text": REFUSAL_TEXTS[code].partner, "count": Count(number, is_more=False)}
        for code, number in refused_by_cause(member=member, now=now)
    ]
