"""What is done with many customers at once: budget, freeze, unfreeze, manager; one by one."""

from datetime import datetime
from decimal import Decimal

from accounts.enums import FreezeScope
from association.enums import AssociationRefusal
from association.models import Association
from association.services.customers import (
    assign_manager,
    freeze_customer,
    set_budget,
    unfreeze_customer,
)
from association.services.spending import spent_this_month
from partners.enums import BudgetPeriod, BulkKind, OnExhaustion
from partners.services.bulk_actions import Performers, RowTask, do_rows, visible_row
from web.refused import Refused


def do_customers(*, now: datetime) -> int:
    """Do rows of running actions on customers for about a second; return how many."""
    return do_rows(performers=PERFORMERS, now=now)


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
    freeze_customer(
        association=_customer(task),
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
