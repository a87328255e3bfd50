"""How far people came on the way to a partner, and what refused them, within some days."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, QuerySet

from partners.models import Partner, PartnerMember
from partners.services.pages import Count, CountOf, counted

DAYS = timedelta(days=30)
# Beyond this a count says "more than".
COUNTED = 10_000
# So many refused attempts are looked into for their causes.
LOOKED_INTO = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """How many attempts came to each point, and whether the member has any invitation at all."""

    started: Count
    registered: Count
    associated: Count
    refused: Count
    has_invitations: bool


def funnel_of(*, member: PartnerMember, now: datetime) -> Funnel:
    """Count what happened in the last 30 days, each by its own moment; one statement."""
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
    counts = {name: counted(number, COUNTED) for name, number in zip(names, found, strict=False)}
    return Funnel(**counts, has_invitations=found[4])


def refused_by_cause(*, member: PartnerMember, now: datetime) -> list[tuple[str, int]]:
    """Return the codes that refused in the last 30 days, each with how often, most first.

    Looks into the latest attempts only, however many there are.
    """
    refused = member.partner.attempts.visible_to(member).filter(refused_at__gte=now - DAYS)
    latest = refused.order_by("-refused_at").values_list("refusal_codes", flat=True)[:LOOKED_INTO]
    return Counter(code for codes in latest for code in codes).most_common()


def _up_to(rows: "QuerySet[Any]") -> CountOf:
    return CountOf(rows.order_by().values("pk")[: COUNTED + 1])
