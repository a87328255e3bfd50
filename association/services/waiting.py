"""Who waits for a partner: customers for a budget."""

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Freeze, FreezeCause
from association.models import Association, Budget
from partners.models import AssociationType, Partner

SHOWN = 50


def customers_waiting(partner: Partner) -> QuerySet[Association]:
    """Return the reseller customers whom the association still freezes, oldest first.

    Each carries `has_budget`: then only unfreezing is left to do.
    """
    frozen = Freeze.objects.open().filter(
        account=OuterRef("account"), cause=FreezeCause.ASSOCIATION
    )
    return (
        Association.objects.in_force()
        .for_partner(partner)
        .filter(Exists(frozen), association_type=AssociationType.RESELLER)
        .annotate(has_budget=Exists(Budget.objects.current().filter(association=OuterRef("pk"))))
        .select_related("account__owner")
        .order_by("associated_at", "pk")[:SHOWN]
    )
