"""Writing the facts again that lists derive from other rows: names, status, channel and type.

Every action keeps them. A server of an earlier version does not know them, and runs for some time
beside a new one during an upgrade.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from accounts.services.freezes import lock_accounts
from association.models import Association, Attempt
from association.services.customer_names import refresh_names
from association.services.customer_status import DERIVED
from partners.models import Invitation
from web.transactions import whole_transaction

ROWS_AT_ONCE = 500


def refresh_derived_facts() -> int:
    """Write what differs from the other rows; return how many rows were looked at.

    Each part is a transaction, and locks its accounts as every action on a customer does.
    """
    of_invitation = Q(
        channel=F("invitation__channel"), association_type=F("invitation__association_type")
    )
    of_association = Q(associated_at=F("association__associated_at")) | Q(
        associated_at__isnull=True, association__isnull=True
    )
    attempts = Attempt.objects.exclude(of_invitation & of_association)
    return sum(
        [
            *map(_refresh_customers, _parts(Association.objects.all())),
            *map(_refresh_attempts, _parts(attempts)),
        ]
    )


def _parts(rows: "QuerySet[Any]") -> Iterator[list[Any]]:
    """Yield the keys some at a time, in their order."""
    rest = rows.order_by("pk").values_list("pk", flat=True)
    keys = list(rest[:ROWS_AT_ONCE])
    while keys:
        yield keys
        keys = list(rest.filter(pk__gt=keys[-1])[:ROWS_AT_ONCE])


@whole_transaction
@transaction.atomic
def _refresh_customers(keys: Sequence[int]) -> int:
    rows = Association.objects.filter(pk__in=keys)
    lock_accounts(list(rows.values_list("account", flat=True)))
    refresh_names(rows.select_related("account__owner"))
    derived = {f"derived_{column}": rule for column, rule in DERIVED.items()}
    same = Q(**{column: F(f"derived_{column}") for column in DERIVED})
    wrong = list(rows.annotate(**derived).exclude(same).values_list("pk", flat=True))
    Association.objects.filter(pk__in=wrong).update(**DERIVED)
    return len(keys)


@whole_transaction
@transaction.atomic
def _refresh_attempts(keys: Sequence[Any]) -> int:
    invitation = Invitation.objects.filter(pk=OuterRef("invitation"))
    association = Association.objects.filter(attempt=OuterRef("pk"))
    return Attempt.objects.filter(pk__in=keys).update(
        associated_at=Subquery(association.values("associated_at")),
        channel=Subquery(invitation.values("channel")),
        association_type=Subquery(invitation.values("association_type")),
    )
