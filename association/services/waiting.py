"""Who waits for a partner: customers for a budget, people for an online invitation."""

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Freeze, FreezeCause
from association.models import Association
from partners.models import AssociationType, InvitationRequest, Partner

SHOWN = 50


def customers_waiting(partner: Partner) -> QuerySet[Association]:
    """Return the reseller customers whom the association still freezes, oldest first."""
    frozen = Freeze.objects.open().filter(
        account=OuterRef("account"), cause=FreezeCause.ASSOCIATION
    )
    return (
        Association.objects.in_force()
        .for_partner(partner)
        .filter(Exists(frozen), association_type=AssociationType.RESELLER)
        .select_related("account__owner")
        .order_by("associated_at", "pk")[:SHOWN]
    )


def requests_waiting(partner: Partner) -> QuerySet[InvitationRequest]:
    """Return the open requests for an online invitation, oldest first."""
    return (
        partner.invitation_requests.filter(closed_at__isnull=True)
        .select_related("invitation")
        .order_by("requested_at", "pk")[:SHOWN]
    )
