"""Whether a customer waits, is frozen or is free, stored with the association for lists.

Budgets are rows of their own, and freezes are those of another app. Derived columns of the
association let a list of 200,000 customers use an index; `check_invariants` compares them (I15).
"""

from collections.abc import Collection
from typing import Any

from django.db.models import BooleanField, Case, Exists, ExpressionWrapper, OuterRef, Q, Value, When

from accounts.enums import FreezeCause
from accounts.models import Freeze
from association.enums import CustomerStatus
from association.models import Association, Budget
from association.models.associations import AssociationQuerySet
from partners.enums import AssociationType
from web.fixed_queries import KEY, fixed_update

_IN_FORCE = Q(ended_at__isnull=True)
_FREEZES = Freeze.objects.open().filter(account=OuterRef("account"))
_HAS_BUDGET = Exists(Budget.objects.current().filter(association=OuterRef("pk")))


def _is_frozen_by(cause: FreezeCause) -> Any:
    condition = _IN_FORCE & Q(Exists(_FREEZES.filter(cause=cause)))
    return ExpressionWrapper(condition, output_field=BooleanField())


# The rules of `CustomerState.status`, as expressions of the rows.
DERIVED: dict[str, Any] = {
    "status": Case(
        When(ended_at__isnull=False, then=Value(CustomerStatus.ENDED)),
        When(
            ~Q(_HAS_BUDGET),
            association_type=AssociationType.RESELLER,
            then=Value(CustomerStatus.WAITING),
        ),
        When(Exists(_FREEZES), then=Value(CustomerStatus.FROZEN)),
        default=Value(CustomerStatus.FREE),
    ),
    "is_frozen_by_joining": _is_frozen_by(FreezeCause.ASSOCIATION),
    "is_out_of_budget": _is_frozen_by(FreezeCause.BUDGET_EXHAUSTED),
}


def refresh_status(accounts: Collection[int]) -> None:
    """Write the status of the customers with these accounts, as the rows are now; one statement.

    For one account, as when it joins, the statement is compiled once: that takes Django 2 ms.
    Call it in the transaction that adds an association or changes a budget, and has locked the
    accounts. Freezes call it themselves.
    """
    if len(accounts) == 1:
        _of_one_account.run(*accounts)
    else:
        Association.objects.in_force().filter(account__in=accounts).update(**DERIVED)


@fixed_update(KEY, **DERIVED)
def _of_one_account(account: int) -> AssociationQuerySet:
    return Association.objects.in_force().filter(account=account)


def end_status(association: Association) -> list[str]:
    """Set the status of an association that ends; return the columns, which the caller saves."""
    association.status = CustomerStatus.ENDED
    association.is_frozen_by_joining = association.is_out_of_budget = False
    return list(DERIVED)
