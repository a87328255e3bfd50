"""What became of budgets and freezes since a page showed them, in sentences."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext as _

from accounts.conflicts import Who, freeze_sentences
from association.models import Budget
from web.moments import moment_text
from web.templatetags.money import money

# The names of `shown_terms()`.
_BUDGET = re.compile(r"budget-(\d+)")


def terms_sentences(names: Sequence[str], who: Who) -> list[str]:
    """Return a sentence for each of these changed values that is a budget or a freeze."""
    return [*_budget_sentences(names, who), *freeze_sentences(names, who)]


def _budget_sentences(names: Iterable[str], who: Who) -> list[str]:
    keys = [int(found[1]) for name in names if (found := _BUDGET.fullmatch(name))]
    current = Budget.objects.current().filter(association__in=keys).order_by("association")
    budgets = list(current.select_related("association__account__owner", "set_by"))
    before = _budgets_before(budgets)
    return [
        _budget_sentence(budget, before.get((budget.association_id, budget.set_at)), who)
        for budget in budgets
    ]


def _budgets_before(budgets: Sequence[Budget]) -> dict[tuple[int, Any], Budget]:
    """Return the budgets that these have replaced, by association and moment; one statement."""
    replaced = Budget.objects.filter(
        association__in=[budget.association_id for budget in budgets],
        replaced_at__in={budget.set_at for budget in budgets},
    )
    return {(row.association_id, row.replaced_at): row for row in replaced.order_by("pk")}


def _budget_sentence(budget: Budget, before: Budget | None, who: Who) -> str:
    text = _(
        "%(account)s: the budget is %(amount)s, %(period)s now. %(who)s set it on %(moment)s;"
        " before, it was %(before)s."
    )
    return text % {
        "account": budget.association.account.owner.account_name,
        "amount": money(budget.amount),
        "period": budget.get_period_display(),
        "who": who(budget.set_by),
        "moment": moment_text(budget.set_at),
        "before": money(before.amount) if before else _("none"),
    }
