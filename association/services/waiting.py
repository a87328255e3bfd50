"""Who and what waits for a partner's member: customers for a budget, invitations, requests."""

from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.lookups import IsNull

from accounts.models import Freeze, FreezeCause
from association.models import Association, Budget, BudgetRequest
from partners.enums import AssociationType, Channel
from partners.models import Invitation, InvitationRequest, PartnerMember

SHOWN = 20
EXPIRING_SHOWN = 10
REQUESTS_SHOWN = 5
SOON, SOON_FOR_AN_EMAIL = timedelta(days=7), timedelta(days=2)


def customers_waiting(member: PartnerMember) -> QuerySet[Association]:
    """Return the reseller customers whom the association still freezes, oldest first.

    Each carries `has_budget`: then only unfreezing is left to do; and `asked_at`, when the
    customer last asked for a budget.
    """
    return _frozen_customers(member, FreezeCause.ASSOCIATION)[: SHOWN + 1]


def customers_out_of_budget(member: PartnerMember) -> QuerySet[Association]:
    """Return the customers frozen because their budget is used up, oldest first, as above."""
    return _frozen_customers(member, FreezeCause.BUDGET_EXHAUSTED)[: SHOWN + 1]


def customers_asking(member: PartnerMember) -> QuerySet[Association]:
    """Return whom only the partner itself has frozen, and who has asked for a budget since."""
    asked_since = Q(
        account__associations=OuterRef("pk"),
        account__associations__budget_requests__asked_at__gte=F("frozen_at"),
    )
    return _frozen_customers(member, FreezeCause.PARTNER, asked_since).exclude(
        Exists(
            Freeze.objects.open().filter(
                account=OuterRef("account"),
                cause__in=[FreezeCause.ASSOCIATION, FreezeCause.BUDGET_EXHAUSTED],
            )
        )
    )[: SHOWN + 1]


def invitations_expiring(*, member: PartnerMember, now: datetime) -> QuerySet[Invitation]:
    """Return the live invitations that expire soon, soonest first.

    Links within seven days, e-mails within two: these live for seven days from the beginning.
    """
    live = member.partner.invitations.visible_to(member).live(now)
    # The lower bound stands in `live()` too, but with an OR, which no index can begin at.
    soon = live.filter(expires_at__gt=now, expires_at__lte=now + SOON).exclude(
        channel=Channel.EMAIL, expires_at__gt=now + SOON_FOR_AN_EMAIL
    )
    return soon.order_by("expires_at", "pk")[:EXPIRING_SHOWN]


def requests_open(member: PartnerMember) -> QuerySet[InvitationRequest]:
    """Return the open requests for an online invitation, oldest first; one more than is shown."""
    asked = member.partner.invitation_requests.visible_to(member).open()
    return asked.select_related("invitation").order_by("requested_at", "pk")[: REQUESTS_SHOWN + 1]


def _frozen_customers(member: PartnerMember, cause: FreezeCause, *more: Q) -> QuerySet[Association]:
    frozen = Freeze.objects.open().filter(*more, account=OuterRef("account"), cause=cause)
    current = Budget.objects.current().filter(association=OuterRef("pk"))
    asked = BudgetRequest.objects.filter(association=OuterRef("pk")).order_by("-asked_on")
    return (
        member.partner.associations.visible_to(member)
        .filter(Exists(frozen), association_type=AssociationType.RESELLER)
        # Asked by its key, not by EXISTS: PostgreSQL would hash every budget there is for it.
        .annotate(
            has_budget=IsNull(Subquery(current.values("pk")[:1]), False),
            asked_at=Subquery(asked.values("asked_at")[:1]),
        )
        .select_related("account__owner")
        .order_by("associated_at", "pk")
    )
