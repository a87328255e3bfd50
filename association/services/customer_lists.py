"""Lists of a partner's customers: searched, filtered, and each with its present state."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q

from accounts.models import Freeze
from accounts.services.capabilities import widest_scope
from association.models import Association, Budget
from association.models.associations import AssociationQuerySet
from association.services.spending import used_of
from partners.enums import AssociationType
from partners.services.pages import Order
from web.email_addresses import InvalidAddress, canonical_address

NEWEST_FIRST = Order("associated_at")
# The filter's value for customers without a manager.
NO_MANAGER = "none"


@dataclass(frozen=True, slots=True)
class CustomerState:
    """A customer with the open freezes, the current budget and what is used of it."""

    association: Association
    freezes: list[Freeze]
    budget: Budget | None
    spent: Decimal | None

    @property
    def status(self) -> str:
        """One of `waiting` (for a budget), `frozen` and `free`."""
        if self.association.is_reseller and self.budget is None:
            return "waiting"
        return "frozen" if self.freezes else "free"

    @property
    def frozen_since(self) -> datetime | None:
        return min((freeze.frozen_at for freeze in self.freezes), default=None)

    @property
    def scope(self) -> str | None:
        return widest_scope(self.freezes)

    @property
    def causes(self) -> set[str]:
        return {freeze.cause for freeze in self.freezes}


def find_customers(rows: AssociationQuerySet, filters: Mapping[str, Any]) -> AssociationQuerySet:
    """Return the rows that match the filters of the list's form; no statement."""
    if "q" in filters:
        rows = _search(rows, filters["q"].strip())
    if "association_type" in filters:
        rows = rows.filter(association_type=filters["association_type"])
    if "manager" in filters:
        manager = filters["manager"]
        rows = rows.filter(manager=None if manager == NO_MANAGER else manager)
    frozen = Exists(Freeze.objects.open().filter(account=OuterRef("account")))
    has_budget = Exists(Budget.objects.current().filter(association=OuterRef("pk")))
    # The same rules as `CustomerState.status`.
    waiting = Q(~has_budget, association_type=AssociationType.RESELLER)
    match filters.get("status"):
        case "waiting":
            rows = rows.filter(waiting)
        case "frozen":
            rows = rows.filter(frozen).exclude(waiting)
        case "free":
            rows = rows.filter(~frozen).exclude(waiting)
    match filters.get("budget"):
        case "with":
            rows = rows.filter(has_budget)
        case "without":
            rows = rows.filter(~has_budget)
    return rows


def _search(rows: AssociationQuerySet, text: str) -> AssociationQuerySet:
    """By the beginning of the account name or, with an @, by the whole address."""
    if "@" not in text:
        return rows.filter(account__owner__account_name__startswith=text.lower())
    try:
        return rows.filter(account__owner__email=canonical_address(text))
    except InvalidAddress:
        return rows.none()


def with_people(rows: AssociationQuerySet) -> AssociationQuerySet:
    """Return the rows joined with the account's owner and the manager."""
    return rows.select_related("account__owner", "manager__user")


def customer_states(rows: Collection[Association], *, now: datetime) -> list[CustomerState]:
    """Return the states of these customers, in their order; three statements.

    The rows must have their partner and account loaded.
    """
    freezes: dict[int, list[Freeze]] = defaultdict(list)
    accounts = [row.account_id for row in rows]
    for freeze in Freeze.objects.open().filter(account__in=accounts).order_by("pk"):
        freezes[freeze.account_id].append(freeze)
    by_key = {row.pk: row for row in rows}
    budgets: dict[int, Budget] = {}
    for budget in Budget.objects.current().filter(association__in=by_key):
        budget.association = by_key[budget.association_id]
        budgets[budget.association_id] = budget
    spent = used_of(list(budgets.values()), now)
    return [
        CustomerState(
            association=row,
            freezes=freezes[row.account_id],
            budget=budgets.get(row.pk),
            spent=spent[budgets[row.pk].pk] if row.pk in budgets else None,
        )
        for row in rows
    ]
