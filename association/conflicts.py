"""What became of budgets and freezes since a page showed them, in sentences."""

import re
from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from accounts.conflicts import Who, freeze_sentences
from association.models import Budget
from association.templatetags.association_money import money
from web.versioned_forms import moment_text

# The names of `shown_terms()`.
_BUDGET = re.compile(r"budget-(\d+)")


def terms_sentences(names: Sequence[str], who: Who) -> list[str]:
    """Return a sentence for each of these changed values that is a budget or a freeze."""
    return [*_budget_sentences(names, who), *freeze_sentences(names, who)]


def _budget_sentences(names: Iterable[str], who: Who) -> list[str]:
    keys = [int(found[1]) for name in names if (found := _BUDGET.fullmatch(name))]
    budgets = Budget.objects.current().filter(association__in=keys).order_by("association")
    return [
        _budget_sentence(budget, who)
        for budget in budgets.select_related("association__account__owner", "set_by")
    ]


def _budget_sentence(budget: Budget, who: Who) -> str:
    before = budget.association.budgets.filter(replaced_at=budget.set_at).order_by("-pk").first()
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
