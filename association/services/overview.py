"""What the console's overview shows: what a member should do next, and the funnel of 30 days."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet

from association.enums import CustomerStatus, Side
from association.models import Association, Attempt, EndRequest
from association.models.associations import AssociationQuerySet
from association.services.budget_requests import with_last_request
from association.services.customer_lists import waiting_for_partner
from association.services.history import midnight
from association.services.last_day_reminders import resumable_attempts
from partners.enums import Channel
from partners.models import Invitation, InvitationRequest, Partner, PartnerMember
from partners.services.pages import Count, CountOf, counted

SHOWN = 20
EXPIRING_SHOWN = 10
REQUESTS_SHOWN = 5
PUT_OFF_SHOWN = 5
# Of so many refusals the people are searched who can be helped; of so many of these, those who were
# not written to are shown, so many at the most.
REFUSALS_SEARCHED, REFUSED_READ, REFUSED_SHOWN = 500, 50, 5
SOON, SOON_FOR_AN_EMAIL = timedelta(days=7), timedelta(days=2)

DAYS = timedelta(days=30)
# A greater count is shown as "more than".
MOST_COUNTED = 10_000
# In the navigation, on every page.
MOST_WAITING = 99
# How many refused attempts are read for their causes.
MOST_READ = 1_000


def customers_frozen_by_joining(member: PartnerMember) -> QuerySet[Any]:
    """Return the reseller customers who wait since they joined, oldest first.

    Each has `has_budget` (without one, the customer waits for a budget; with one, to be unfrozen),
    and `asked_at` and `asked_for` of what the customer last asked.
    """
    return _frozen_customers(_waiting(member)[0])[: SHOWN + 1]


def customers_out_of_budget(member: PartnerMember) -> QuerySet[Association]:
    """Return the customers who wait since their budget was used up, oldest first."""
    return _frozen_customers(_waiting(member)[1])[: SHOWN + 1]


def end_requests_open(member: PartnerMember) -> QuerySet[EndRequest]:
    """Return the customers' requests to end that wait for the partner's answer, oldest first."""
    visible = member.partner.associations.visible_to(member).in_force()
    end_requests = EndRequest.objects.open().filter(
        asking_side=Side.CUSTOMER, association__in=visible
    )
    people = end_requests.select_related("association__account__owner")
    return people.order_by("asked_at", "pk")[: SHOWN + 1]


def invitations_expiring(*, member: PartnerMember, now: datetime) -> QuerySet[Invitation]:
    """Return the live invitations that expire soon, soonest first.

    Links within seven days, e-mails within two, because an e-mail invitation lives for seven days.
    """
    live = member.partner.invitations.visible_to(member).live(now)
    # `live()` has the lower bound too, but inside an OR, which cannot use the index.
    soon = live.filter(expires_at__gt=now, expires_at__lte=now + SOON).exclude(
        channel=Channel.EMAIL, expires_at__gt=now + SOON_FOR_AN_EMAIL
    )
    return soon.order_by("expires_at", "pk")[:EXPIRING_SHOWN]


def people_refused(*, member: PartnerMember, now: datetime) -> list[Attempt]:
    """Return the latest refused attempt of people who were refused in 30 days, newest first.

    Who is the partner's customer meanwhile, or has begun again, is left out. `actions_of()` knows
    who has joined another partner. Only the latest refusals are searched (REFUSALS_SEARCHED).
    """
    later = Attempt.objects.filter(
        account=OuterRef("account"),
        partner=OuterRef("partner"),
        started_at__gt=OuterRef("started_at"),
    )
    joined = Association.objects.in_force().filter(
        account=OuterRef("account"), partner=OuterRef("partner")
    )
    refused = member.partner.attempts.visible_to(member).filter(refused_at__gte=now - DAYS)
    latest = refused.order_by("-refused_at", "-pk").values("pk")[:REFUSALS_SEARCHED]
    people = (
        Attempt.objects.filter(pk__in=latest, account__owner__is_active=True)
        .exclude(Exists(joined))
        .exclude(Exists(later))
    )
    return _with_people(people.order_by("-refused_at", "-pk")[:REFUSED_READ])


def people_who_put_off(*, member: PartnerMember, now: datetime) -> list[Attempt]:
    """Return the attempts that were put off and can be finished, the first to end first."""
    resumable = resumable_attempts(now).visible_to(member)
    first = resumable.order_by("account__registered_at", "pk")[: PUT_OFF_SHOWN + 1]
    return _with_people(first.select_related(None))


def _with_people(found: QuerySet[Attempt]) -> list[Attempt]:
    """Return these attempts, in their order, with what the overview shows of each.

    Two statements, because PostgreSQL plans them in 2 ms. Planning a single one, which joins what
    is shown with what is searched, took it up to 24 ms.
    """
    keys = list(found.values_list("pk", flat=True))
    shown = Attempt.objects.select_related("account__owner", "invitation", "association")
    rows = shown.in_bulk(keys)
    return [rows[key] for key in keys if key in rows]


def requests_open(member: PartnerMember) -> QuerySet[InvitationRequest]:
    """Return the open requests for an online invitation, oldest first."""
    requests = member.partner.invitation_requests.visible_to(member).open()
    return requests.select_related("invitation").order_by("requested_at", "pk")[
        : REQUESTS_SHOWN + 1
    ]


def _waiting(member: PartnerMember) -> tuple[AssociationQuerySet, ...]:
    return waiting_for_partner(member.partner.associations.visible_to(member))


def _frozen_customers(waiting: AssociationQuerySet) -> QuerySet[Association]:
    has_budget = ExpressionWrapper(~Q(status=CustomerStatus.WAITING), output_field=BooleanField())
    return (
        with_last_request(waiting)
        .annotate(has_budget=has_budget)
        .select_related("account__owner", "partner")
        .order_by("associated_at", "pk")
    )


def waiting_counts(member: PartnerMember) -> tuple[Count, Count]:
    """Count what waits for the member, in one statement: about customers, invitation requests.

    Of customers: those whom `waiting_for_partner()` returns.
    """
    invitation_requests = member.partner.invitation_requests.visible_to(member).open()
    # Each has an index of its own, and none counts a customer of another one.
    *waiting, requesting = Partner.objects.values_list(
        *(_up_to(customers, MOST_WAITING) for customers in _waiting(member)),
        _up_to(invitation_requests, MOST_WAITING),
    ).get(pk=member.partner_id)
    return counted(sum(waiting), MOST_WAITING), counted(requesting, MOST_WAITING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """How many attempts came to each point, and whether the member has an invitation."""

    started: Count
    registered: Count
    associated: Count
    refused: Count
    has_invitations: bool


def first_day(*, member: PartnerMember, now: datetime) -> date:
    """Return the first of the days that are counted, where the partner is."""
    return now.astimezone(member.partner.zone).date() - DAYS


def funnel_of(*, member: PartnerMember, now: datetime) -> Funnel:
    """Count what happened since the `first_day()`, in one statement."""
    since = midnight(first_day(member=member, now=now), member)
    attempts = member.partner.attempts.visible_to(member)
    found = Partner.objects.values_list(
        _up_to(attempts.filter(started_at__gte=since)),
        _up_to(attempts.filter(registered_at__gte=since)),
        _up_to(attempts.filter(associated_at__gte=since)),
        _up_to(attempts.filter(refused_at__gte=since)),
        Exists(member.partner.invitations.visible_to(member)),
    ).get(pk=member.partner_id)
    names = ("started", "registered", "associated", "refused")
    counts = {
        name: counted(number, MOST_COUNTED) for name, number in zip(names, found, strict=False)
    }
    return Funnel(**counts, has_invitations=found[4])


def refused_by_cause(*, member: PartnerMember, now: datetime) -> list[tuple[str, int]]:
    """Return the codes of the latest refusals since the `first_day()`, with counts, most first."""
    since = midnight(first_day(member=member, now=now), member)
    refused = member.partner.attempts.visible_to(member).filter(refused_at__gte=since)
    latest = refused.order_by("-refused_at").values_list("refusal_codes", flat=True)[:MOST_READ]
    return Counter(code for codes in latest for code in codes).most_common()


def _up_to(rows: "QuerySet[Any]", limit: int = MOST_COUNTED) -> CountOf:
    return CountOf(rows.order_by().values("pk")[: limit + 1])
