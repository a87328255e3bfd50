"""How much of a budget is used, counted from the spending that was recorded."""

from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Case, DateTimeField, OuterRef, QuerySet, Subquery, Sum, Value, When

from accounts.models import Spending
from association.models import Association, Budget, BudgetPeriod
from partners.models import Partner
from web.fixed_queries import KEY, MOMENT, fixed_query

NOTHING = Decimal("0.00")


def period_start(budget: Budget, now: datetime) -> datetime:
    """Return from when spending counts, in UTC: a one-time budget's from when it was set.

    A monthly one's from the first of the month in the partner's time zone, but never from before
    the association: what the customer spent alone is not the partner's.
    """
    if budget.period == BudgetPeriod.ONE_TIME:
        return budget.set_at
    association = budget.association
    return max(first_of_month(association.partner, now), association.associated_at)


def first_of_month(partner: Partner, now: datetime) -> datetime:
    """Return when the present month began where the partner is, in UTC."""
    local = now.astimezone(ZoneInfo(partner.time_zone))
    first = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    return first.astimezone(UTC)


def used_of(budgets: Collection[Budget], now: datetime) -> dict[int, Decimal]:
    """Return what is used of each budget in its present period, by the budget's key.

    In the product's currency; refunds count against it, so it may be below zero. One statement,
    when the budgets carry their `association__partner`; none without budgets.
    """
    if not budgets:
        return {}
    by_start: dict[datetime, list[int]] = defaultdict(list)
    for budget in budgets:
        by_start[period_start(budget, now)].append(budget.pk)
    # Few budgets differ in their start.
    starts = [When(pk__in=keys, then=Value(start)) for start, keys in by_start.items()]
    spending = Spending.objects.filter(
        account=OuterRef("association__account"), occurred_at__gte=OuterRef("start")
    )
    rows = Budget.objects.filter(pk__in=[budget.pk for budget in budgets]).annotate(
        start=Case(*starts, output_field=DateTimeField()), used=_total(spending)
    )
    return {pk: used or NOTHING for pk, used in rows.values_list("pk", "used")}


def resets_at(budget: Budget, now: datetime) -> datetime | None:
    """Return when a monthly budget is restored: the next first of a month; None if one-time."""
    if budget.period == BudgetPeriod.ONE_TIME:
        return None
    return next_month(budget.association.partner, now)


def next_month(partner: Partner, now: datetime) -> datetime:
    """Return when the next month begins where the partner is, in UTC."""
    return first_of_month(partner, first_of_month(partner, now) + timedelta(days=32))


def spent_of(budget: Budget, now: datetime) -> Decimal:
    """Return what is used of one budget in its present period; one statement."""
    [used] = _spent_since.first(budget.association.account_id, period_start(budget, now)) or [None]
    return NOTHING if used is None else Decimal(used).quantize(NOTHING)


def spent_this_month(
    associations: Collection[Association], *, partner: Partner, now: datetime
) -> dict[int, Decimal]:
    """Return what each of this partner's customers has spent this month, by the association's key.

    What was spent before the association does not count. One statement.
    """
    spending = Spending.objects.filter(
        account=OuterRef("account"), occurred_at__gte=OuterRef("associated_at")
    ).filter(occurred_at__gte=first_of_month(partner, now))
    rows = Association.objects.filter(pk__in=[row.pk for row in associations])
    spent = rows.annotate(spent=_total(spending)).values_list("pk", "spent")
    return {key: amount or NOTHING for key, amount in spent}


@fixed_query(KEY, MOMENT)
def _spent_since(account: int, start: datetime) -> QuerySet[Any, tuple[Any, ...]]:
    spending = Spending.objects.filter(account=account, occurred_at__gte=start)
    return spending.values("account").annotate(total=Sum("amount")).values_list("total")


def _total(spending: QuerySet[Spending]) -> Subquery:
    return Subquery(spending.values("account").annotate(total=Sum("amount")).values("total"))
