"""The console's overview: what the member should do next, and the last 30 days."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from association.refusals import REFUSAL_TEXTS
from association.services.overview import (
    REQUESTS_SHOWN,
    SHOWN,
    customers_out_of_budget,
    customers_waiting,
    end_requests_open,
    funnel_of,
    invitations_expiring,
    refused_by_cause,
    requests_open,
)
from partners.models import PartnerMember
from partners.services.pages import Count
from partners.views.gate import for_members, show
from partners.views.shared import bars_of

PAGE = "association/console/overview.html"


@require_safe
@for_members
def overview(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    now = timezone.now()
    funnel = funnel_of(member=member, now=now)
    context = {
        **_first_rows("waiting", customers_waiting(member), SHOWN),
        **_first_rows("out_of_budget", customers_out_of_budget(member), SHOWN),
        **_first_rows("end_requests", end_requests_open(member), SHOWN),
        **_first_rows("requests", requests_open(member), REQUESTS_SHOWN),
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


def _first_rows(name: str, found: QuerySet[Any], number: int) -> dict[str, Any]:
    rows = list(found)
    return {name: rows[:number], f"more_{name}": len(rows) > number}


def _causes(member: PartnerMember, now: datetime) -> list[dict[str, Any]]:
    return [
        {"code": code, "text": REFUSAL_TEXTS[code].partner, "count": Count(number, is_more=False)}
        for code, number in refused_by_cause(member=member, now=now)
    ]
