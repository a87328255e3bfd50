"""The partner's console: who and what waits for the partner, and how the last 30 days went."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from association.services.funnel import Funnel, funnel_of, refused_by_cause
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
        "bars": bars_of(funnel),
        "is_new": not funnel.has_invitations,
    }
    return show(request, member, PAGE, context, section="overview")


def bars_of(funnel: Funnel) -> list[dict[str, Any]]:
    """Return the funnel as `components/funnel.html` draws it."""
    counts = (
        (_("Started"), funnel.started, ""),
        (_("Registered"), funnel.registered, ""),
        (_("Associated"), funnel.associated, ""),
        (_("Refused"), funnel.refused, "refused"),
    )
    most = max(count.number for _label, count, _kind in counts) or 1
    return [
        {
            "label": label,
            "number": count.number,
            "is_more": count.is_more,
            "width": 100 * count.number // most,
            "kind": kind,
        }
        for label, count, kind in counts
    ]


def _causes(member: PartnerMember, now: datetime) -> list[dict[str, Any]]:
    return [
        {"code": code, "text": REFUSAL_TEXTS[code].partner, "number": number}
        for code, number in refused_by_cause(member=member, now=now)
    ]
