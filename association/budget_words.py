"""What is written about a budget to who sets it, or unfreezes the account."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from association.models import Budget
from association.services.spending import spent_of
from partners.enums import OnExhaustion
from web.templatetags.money import money


def budget_facts(budget: Budget, *, now: datetime) -> Iterator[str]:
    """Say what the current budget is and how much of it is used; warn where that is all of it."""
    used = spent_of(budget, now)
    yield _("Budget: %(used)s of %(amount)s used (%(period)s).") % {
        "used": money(used),
        "amount": money(budget.amount),
        "period": budget.get_period_display(),
    }
    if used < budget.amount:
        return
    if budget.on_exhaustion == OnExhaustion.FREEZE:
        yield _(
            "It is used up already. An account that is not frozen is frozen as soon as it spends"
            " more."
        )
    else:
        yield _("It is used up already. The account is not frozen by itself.")
