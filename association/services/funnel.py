"""How far people came with a partner's invitations in 30 days, and what refused them."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, QuerySet

from partners.models import Partner, PartnerMember
from partners.services.pages import Count, CountOf, counted

DAYS = timedelta(days=30)
# A greater count is shown as "more than".
MOST_COUNTED = 10_000
# How many refused attempts are read for their causes.
MOST_READ = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """How many attempts came to each point, and whether the member has an invitation."""

    started: Count
    registered: Count
    associated: Count
    refused: Count
    has_invitations: bool


def funnel_of(*, member: PartnerMember, now: datetime) -> Funnel:
    """Count what happened in the last 30 days, in one statement."""
    since = now - DAYS
    attempts = member.partner.attempts.visible_to(member)
    associated: QuerySet[Any] = member.partner.associations.filter(associated_at__gte=since)
    if not member.is_administrator:
        associated = attempts.filter(association__associated_at__gte=since)
    found = Partner.objects.values_list(
        _up_to(attempts.filter(started_at__gte=since)),
        _up_to(attempts.filter(registered_at__gte=since)),
        _up_to(associated),
        _up_to(attempts.filter(refused_at__gte=since)),
        Exists(member.partner.invitations.visible_to(member)),
    ).get(pk=member.partner_id)
    names = ("started", "registered", "associated", "refused")
    counts = {
        name: counted(number, MOST_COUNTED) for name, number in zip(names, found, strict=False)
    }
    return Funnel(**counts, has_invitations=found[4])


def refused_by_cause(*, member: PartnerMember, now: datetime) -> list[tuple[str, int]]:
    """Return the refusal codes of the latest attempts in 30 days with their counts, most first."""
    refused = member.partner.attempts.visible_to(member).filter(refused_at__gte=now - DAYS)
    latest = refused.order_by("-refused_at").values_list("refusal_codes", flat=True)[:MOST_READ]
    return Counter(code for codes in latest for code in codes).most_common()


def _up_to(rows: "QuerySet[Any]") -> CountOf:
    return CountOf(rows.order_by().values("pk")[: MOST_COUNTED + 1])
