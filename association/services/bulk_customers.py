"""What is done with many customers at once: budget, freeze, unfreeze, manager; one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Exists, OuterRef, Subquery

from accounts.enums import FreezeCause, FreezeScope
from accounts.models import Freeze
from association.enums import AssociationRefusal, CustomerStatus
from association.models import Association, Budget
from association.models.associations import AssociationQuerySet
from association.services.customer_lists import CustomerState
from association.services.customers import (
    assign_manager,
    freeze_customer,
    set_budget,
    unfreeze_customer,
)
from association.services.spending import spent_this_month
from partners.enums import AssociationType, BudgetPeriod, BulkKind, OnExhaustion
from partners.services.bulk_actions import Performers, RowTask, do_rows, visible_row
from web.refused import Refused


def act_on_customers(*, now: datetime) -> int:
    """Do rows of running actions on customers for about a second; return how many."""
    return do_rows(performers=PERFORMERS, now=now)


def obstacle(state: CustomerState, kind: BulkKind) -> AssociationRefusal | None:
    """Return why the kind would leave the customer alone, as far as that is known before it starts.

    Budgets are compared with what was spent when they are set.
    """
    if state.association.has_ended:
        return AssociationRefusal.ENDED
    if kind == BulkKind.ASSIGN_MANAGER:
        return None
    if not state.association.is_reseller:
        return AssociationRefusal.NOT_RESELLER
    if kind == BulkKind.FREEZE and FreezeCause.PARTNER in state.causes:
        return AssociationRefusal.FROZEN_ALREADY
    if kind == BulkKind.UNFREEZE and state.budget is None:
        return AssociationRefusal.NO_BUDGET
    if kind == BulkKind.UNFREEZE and not state.causes - {FreezeCause.ADMINISTRATOR}:
        return AssociationRefusal.NOTHING_TO_LIFT
    return None


def without_obstacle(customers: AssociationQuerySet, kind: BulkKind) -> AssociationQuerySet:
    """Return those of the customers for whom `obstacle()` finds nothing."""
    rows = customers.in_force()
    if kind == BulkKind.ASSIGN_MANAGER:
        return rows
    rows = rows.filter(association_type=AssociationType.RESELLER)
    freezes = Freeze.objects.open().filter(account=OuterRef("account"))
    if kind == BulkKind.FREEZE:
        return rows.exclude(Exists(freezes.filter(cause=FreezeCause.PARTNER)))
    if kind == BulkKind.UNFREEZE:
        may_be_lifted = freezes.exclude(cause=FreezeCause.ADMINISTRATOR)
        return rows.filter(Exists(may_be_lifted), status=CustomerStatus.FROZEN)
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentState:
    """How many of the customers are frozen, by what, and the amounts of their present budgets."""

    frozen_by_joining: int = 0
    # On purpose: such a freeze does not wait for a budget.
    frozen_by_partner: int = 0
    # These freezes stay, whatever the partner does.
    frozen_by_provider: int = 0
    # By any cause.
    frozen: int = 0
    amounts: Sequence[Decimal] = ()


def present_state(rows: AssociationQuerySet) -> PresentState:
    """Return how the customers are now; one statement."""
    budget = Budget.objects.current().filter(association=OuterRef("pk")).values("amount")
    freezes = Freeze.objects.open().filter(account=OuterRef("account"))
    found = rows.values_list(
        "is_frozen_by_joining",
        Exists(freezes.filter(cause=FreezeCause.PARTNER)),
        Exists(freezes.filter(cause=FreezeCause.ADMINISTRATOR)),
        Exists(freezes),
        Subquery(budget[:1]),
    )
    by_joining, by_partner, by_provider, frozen, amounts = (
        zip(*found, strict=True) if found else ((),) * 5
    )
    return PresentState(
        frozen_by_joining=sum(by_joining),
        frozen_by_partner=sum(by_partner),
        frozen_by_provider=sum(by_provider),
        frozen=sum(frozen),
        amounts=[amount for amount in amounts if amount is not None],
    )


def _customer(task: RowTask) -> Association:
    rows = task.member.partner.associations.visible_to(task.member).select_related("account")
    found: Association = visible_row(rows, task)
    return found


def _set_budget(task: RowTask) -> None:
    """Set the budget unless it is used up at once, which only the customer's own form confirms."""
    customer, amount = _customer(task), Decimal(task.terms["amount"])
    period = BudgetPeriod(task.terms["period"])
    spent = spent_this_month([customer], partner=task.member.partner, now=task.now)
    if period == BudgetPeriod.MONTHLY and spent[customer.pk] >= amount:
        raise Refused(AssociationRefusal.USED_UP_AT_ONCE)
    set_budget(
        association=customer,
        amount=amount,
        period=period,
        on_exhaustion=OnExhaustion(task.terms["on_exhaustion"]),
        unfreeze=task.terms["unfreeze"],
        reason=task.reason,
        by=task.member.user,
        now=task.now,
        chosen_at=task.chosen_at,
    )


def _freeze(task: RowTask) -> None:
    customer = _customer(task)
    if customer.account.freezes.open().filter(cause=FreezeCause.PARTNER).exists():
        raise Refused(AssociationRefusal.FROZEN_ALREADY)
    freeze_customer(
        association=customer,
        scope=FreezeScope(task.terms["scope"]),
        reason=task.reason,
        by=task.member.user,
        now=task.now,
    )


def _unfreeze(task: RowTask) -> None:
    closed = unfreeze_customer(
        association=_customer(task), reason=task.reason, by=task.member.user, now=task.now
    )
    if not closed:
        raise Refused(AssociationRefusal.NOTHING_TO_LIFT)


def _assign_manager(task: RowTask) -> None:
    """Administrators alone decide who looks after a customer."""
    customer, key = _customer(task), task.terms["manager"]
    if not task.member.is_administrator:
        raise Refused(AssociationRefusal.NOT_AN_ADMINISTRATOR)
    manager = task.member.partner.members.filter(pk=key).first()
    if key is not None and manager is None:
        raise Refused(AssociationRefusal.NOT_A_MEMBER)
    assign_manager(association=customer, manager=manager, by=task.member.user, now=task.now)


PERFORMERS: Performers = {
    BulkKind.SET_BUDGET: _set_budget,
    BulkKind.FREEZE: _freeze,
    BulkKind.UNFREEZE: _unfreeze,
    BulkKind.ASSIGN_MANAGER: _assign_manager,
}
