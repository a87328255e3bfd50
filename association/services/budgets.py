"""How much of a budget is used, counted from the spending that was recorded."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Sum
from django.utils import timezone

from accounts.models import Spending
from association.models import Budget, BudgetPeriod


def period_start(budget: Budget, now: datetime) -> datetime:
    """Return from when spending counts: the first of the month in the partner's zone, or the set.

    A one-time budget counts from the moment it was set.
    """
    if budget.period == BudgetPeriod.ONE_TIME:
        return budget.set_at
    local = now.astimezone(ZoneInfo(budget.association.partner.time_zone))
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def spent_of(budget: Budget, now: datetime | None = None) -> Decimal:
    """Return what has been spent in the budget's present period, in the product's currency."""
    since = period_start(budget, now or timezone.now())
    spending = Spending.objects.filter(
        account=budget.association.account_id, occurred_at__gte=since
    )
    return spending.aggregate(total=Sum("amount"))["total"] or Decimal("0.00")
