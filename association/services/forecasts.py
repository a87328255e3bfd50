"""Until when a budget lasts if spending goes on as it did in the present period; no query."""

from datetime import datetime, timedelta
from decimal import Decimal

from association.models import Budget
from association.services.spending import period_start, resets_at

SHORTEST_SPENDING = timedelta(days=1)
# Further ahead the pace says nothing.
LONGEST_FORECAST = timedelta(days=366)


def budget_lasts_until(budget: Budget, *, used: Decimal, now: datetime) -> datetime | None:
    """Return the moment (UTC) at which the budget will be used up at the present pace.

    The pace is `used`, from `spent_of()` or `used_of()`, divided by the time since the present
    period began. None where there is nothing to say: less than a day of the period has passed,
    nothing is used, all of it is used already, a monthly budget is restored before, or it lasts
    more than a year. Needs the budget's `association__partner`.
    """
    elapsed = now - period_start(budget, now)
    if elapsed < SHORTEST_SPENDING or not 0 < used < budget.amount:
        return None
    seconds = (budget.amount - used) / used * Decimal(elapsed.total_seconds())
    if seconds > LONGEST_FORECAST.total_seconds():
        return None
    lasts_until = now + timedelta(seconds=float(seconds))
    restored_at = resets_at(budget, now)
    return None if restored_at is not None and restored_at <= lasts_until else lasts_until
