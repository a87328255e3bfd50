"""What a frozen account is told: the open causes in order, and the one thing that helps first.

Every page, e-mail and button about a frozen account uses it. The table of causes and actions is in
`docs/decisions/0032-advice-follows-the-first-cause.md`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from accounts.enums import FreezeCause
from accounts.models import CustomerAccount, Freeze
from association.enums import ASKS, FrozenAction
from association.models import Association, Budget
from association.services.spending import spent_of

# An administrator's freeze comes first: while it is open, nothing else helps.
ORDER = (
    FreezeCause.ADMINISTRATOR,
    FreezeCause.ASSOCIATION,
    FreezeCause.BUDGET_EXHAUSTED,
    FreezeCause.PARTNER,
)


@dataclass(frozen=True, slots=True)
class FreezeRow:
    """One open freeze, what would lift it, and the budget (with what is used) if there is one."""

    freeze: Freeze
    action: FrozenAction
    budget: Budget | None = None
    used: Decimal | None = None


def advise(
    open_freezes: Iterable[Freeze], *, budget: Budget | None, used: Decimal | None
) -> list[FreezeRow]:
    """Return a row for each open freeze; the action of the first one is the action to offer.

    `budget` is the one in force and `used` what is used of it in its present period. Pure: no
    query.
    """
    in_order = sorted(open_freezes, key=lambda freeze: ORDER.index(FreezeCause(freeze.cause)))
    return [
        FreezeRow(freeze, _action_for(freeze, budget, used), budget, used) for freeze in in_order
    ]


def find_advice(
    account: CustomerAccount, association: Association | None, *, now: datetime
) -> list[FreezeRow]:
    """Load what `advise()` needs, and return what it says.

    One statement for a free account; at most three.
    """
    open_freezes = list(account.freezes.open())
    is_exhausted = any(row.cause == FreezeCause.BUDGET_EXHAUSTED for row in open_freezes)
    budget = used = None
    if open_freezes and association is not None:
        budget = association.budgets.current().first()
    if budget is not None and is_exhausted:
        used = spent_of(budget, now)
    return advise(open_freezes, budget=budget, used=used)


def first_action(rows: Sequence[FreezeRow]) -> FrozenAction | None:
    """Return the one action to offer, or None for a free account."""
    return rows[0].action if rows else None


def first_ask(rows: Sequence[FreezeRow]) -> FrozenAction | None:
    """Return what the customer can ask the partner for now, or None if asking does not help."""
    action = first_action(rows)
    return action if action in ASKS else None


def _action_for(freeze: Freeze, budget: Budget | None, used: Decimal | None) -> FrozenAction:
    match freeze.cause:
        case FreezeCause.ADMINISTRATOR:
            return FrozenAction.CONTACT_PROVIDER
        case FreezeCause.PARTNER:
            return FrozenAction.CONTACT_PARTNER
        case FreezeCause.BUDGET_EXHAUSTED if _is_used_up(budget, used):
            return FrozenAction.RAISE_BUDGET
    return FrozenAction.SET_BUDGET if budget is None else FrozenAction.UNFREEZE


def _is_used_up(budget: Budget | None, used: Decimal | None) -> bool:
    """Whether nothing is left of the budget; it was raised or restored since if something is."""
    return budget is not None and used is not None and used >= budget.amount
