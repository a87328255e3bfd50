"""A partner's customers as lists: found, filtered, and shown with how each of them stands."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q

from accounts.addresses import InvalidAddress, canonical_address
from accounts.models import Freeze
from accounts.services.capabilities import widest_scope
from association.models import Association, Budget
from association.models.associations import AssociationQuerySet
from association.services.spending import used_of
from partners.enums import AssociationType
from partners.services.pages import Order, page_of

NEWEST_FIRST = Order("associated_at")
CHUNK = 500
NOBODY = "none"


@dataclass(frozen=True, slots=True)
class Standing:
    """How one customer stands: frozen or not and since when, the budget and what is used of it."""

    association: Association
    freezes: list[Freeze]
    budget: Budget | None
    spent: Decimal | None

    @property
    def state(self) -> str:
        """One of `waiting` (for a budget), `frozen` and `free`."""
        if self.association.is_reseller and self.budget is None:
            return "waiting"
        return "frozen" if self.freezes else "free"

    @property
    def frozen_since(self) -> datetime | None:
        """When the oldest open freeze began."""
        return min((freeze.frozen_at for freeze in self.freezes), default=None)

    @property
    def scope(self) -> str | None:
        """How much is frozen."""
        return widest_scope(self.freezes)


def find_customers(rows: AssociationQuerySet, wishes: Mapping[str, Any]) -> AssociationQuerySet:
    """Return those of the rows that a list's form asks for; no statement."""
    if "q" in wishes:
        rows = _search(rows, wishes["q"].strip())
    if "association_type" in wishes:
        rows = rows.filter(association_type=wishes["association_type"])
    if "manager" in wishes:
        chosen = wishes["manager"]
        rows = rows.filter(manager=None if chosen == NOBODY else chosen)
    frozen = Exists(Freeze.objects.open().filter(account=OuterRef("account")))
    budgeted = Exists(Budget.objects.current().filter(association=OuterRef("pk")))
    # The states of `Standing.state`, word for word.
    waiting = Q(~budgeted, association_type=AssociationType.RESELLER)
    match wishes.get("status"):
        case "waiting":
            rows = rows.filter(waiting)
        case "frozen":
            rows = rows.filter(frozen).exclude(waiting)
        case "free":
            rows = rows.filter(~frozen).exclude(waiting)
    match wishes.get("budget"):
        case "with":
            rows = rows.filter(budgeted)
        case "without":
            rows = rows.filter(~budgeted)
    return rows


def _search(rows: AssociationQuerySet, text: str) -> AssociationQuerySet:
    """By the beginning of the account name or, with an @, by the whole address."""
    if "@" not in text:
        return rows.filter(account__owner__account_name__startswith=text.lower())
    try:
        return rows.filter(account__owner__email=canonical_address(text))
    except InvalidAddress:
        return rows.none()


def with_all_shown(rows: AssociationQuerySet) -> AssociationQuerySet:
    """Have loaded with the rows all that `standings()` and a line of a list need."""
    return rows.select_related("account__owner", "manager__user").prefetch_related(
        Prefetch("account__freezes", Freeze.objects.open(), to_attr="open_freezes"),
        Prefetch("budgets", Budget.objects.current(), to_attr="current_budgets"),
    )


def standings(rows: Collection[Association], *, now: datetime) -> list[Standing]:
    """Return how these customers stand, in their order; one statement for what is used.

    The rows were loaded by `with_all_shown()` and know their partner.
    """
    current: dict[int, Budget] = {
        row.pk: budget for row in rows for budget in getattr(row, "current_budgets", ())
    }
    spent = used_of(list(current.values()), now)
    return [
        Standing(
            association=row,
            freezes=list(getattr(row.account, "open_freezes", ())),
            budget=current.get(row.pk),
            spent=spent[current[row.pk].pk] if row.pk in current else None,
        )
        for row in rows
    ]


def all_standings(rows: AssociationQuerySet, *, now: datetime) -> Iterator[Standing]:
    """Walk all rows, newest first, with how each stands; never more than a few hundred at once.

    Page by page, so that nothing is sorted before the first line.
    """
    after, shown = "", with_all_shown(rows)
    while True:
        page = page_of(shown, order=NEWEST_FIRST, after=after, size=CHUNK)
        yield from standings(page.rows, now=now)
        after = page.after
        if not after:
            return
