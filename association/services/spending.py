"""How much of a budget is used, counted from the spending that was recorded."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Sum

from accounts.models import Spending
from association.models import Budget, BudgetPeriod


def period_start(budget: Budget, now: datetime) -> datetime:
    """Return from when spending counts: a one-time budget's from the moment it was set.

    A monthly one's from the first of the month in the partner's time zone, but never from before
    the association: what the customer spent alone is not the partner's.
    """
    if budget.period == BudgetPeriod.ONE_TIME:
        return budget.set_at
    association = budget.association
    local = now.astimezone(ZoneInfo(association.partner.time_zone))
    first_of_month = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return max(first_of_month, association.associated_at)


def spent_of(budget: Budget, now: datetime) -> Decimal:
    """Return what has been spent in the budget's present period, in the product's currency."""
    spending = Spending.objects.filter(
        account=budget.association.account_id, occurred_at__gte=period_start(budget, now)
    )
    return spending.aggregate(total=Sum("amount"))["total"] or Decimal("0.00")
