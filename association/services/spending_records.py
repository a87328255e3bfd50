"""Recording spending, and in the same transaction what it means for budgets."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Spending
from accounts.services.fact_forms import FactForm, fact_form
from accounts.services.fact_lines import ImportReport, Line, validate_lines
from accounts.services.facts_import import changed_facts, write_facts
from association.services.budget_watch import lock_and_measure, watch_budgets
from web.locks import lock_name
from web.transactions import whole_transaction

# How far the clock of another system may be before ours.
CLOCKS_DIFFER_BY = timedelta(minutes=5)
_SpendingForm = fact_form(Spending)


@whole_transaction
def record_spending(*, lines: Iterable[Line], now: datetime, dry_run: bool = False) -> ImportReport:
    """Record the spending that the lines give, and return what was done.

    Idempotent by (source, external_id): what is known and equal stays untouched, what differs is
    corrected. An amount below zero is a refund. One transaction, which also alerts partners and
    freezes accounts (see `budget_watch`); nothing is written if a line is rejected, nor with
    `dry_run`.

    Order of effects: the accounts whose spending changes are locked in the order of their keys;
    then the rows are written; then the budgets are looked at.
    """
    report = ImportReport()
    rows: list[Spending] = validate_lines(lines, partial(_form_of, now=now), report)
    if report.errors:
        return report
    with transaction.atomic():
        # Files with the same spending in different orders would deadlock.
        lock_name("association.record_spending")
        changes = changed_facts(rows, report)
        if dry_run:
            return report
        # A correction may move spending from one account to another.
        accounts = {row.account_id for change in changes for row in change if row}
        used = lock_and_measure(accounts=accounts, now=now)
        write_facts(changes, action="spending.recorded", now=now)
        watch_budgets(used_before=used, now=now)
    return report


def _form_of(fields: dict[str, Any], *, now: datetime) -> FactForm:
    if fields.pop("kind", "spending") != "spending":
        raise ValidationError(_("Only spending is recorded here: use import_facts."))
    form = _SpendingForm(fields)
    not_in_the_future = MaxValueValidator(
        now + CLOCKS_DIFFER_BY, _("This moment is in the future. Record spending afterwards.")
    )
    form.fields["occurred_at"].validators = [not_in_the_future]
    return form
