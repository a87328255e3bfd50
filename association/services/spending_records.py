"""Recording spending, and in the same transaction what it means for budgets."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import Spending
from accounts.services.fact_forms import FactForm, fact_form
from accounts.services.fact_lines import ImportReport, Line, validate_lines
from accounts.services.fact_writes import (
    FactChange,
    accounts_of,
    apply_facts,
    count_changes,
    find_changes,
    write_facts,
)
from association.services.budget_watch import measure_budgets, watch_budgets
from audit.models import Actor

_SpendingForm = fact_form(Spending)


def record_spending(
    *, lines: Iterable[Line], now: datetime, dry_run: bool = False, by: Actor = None
) -> ImportReport:
    """Record the spending that the lines give, and return what was done.

    Idempotent by (source, external_id): what is known and equal stays untouched, what differs is
    corrected. An amount below zero is a refund. One transaction, which also alerts partners and
    freezes accounts (see `budget_watch`); nothing is written if a line is rejected, nor with
    `dry_run`.

    Order of effects: the accounts are locked as `apply_facts()` says; then the rows are written;
    then the budgets of the accounts whose spending changes are looked at.
    """
    report = ImportReport()
    rows: list[Spending] = validate_lines(lines, _form_of, report)
    if report.errors:
        return report
    if dry_run:
        count_changes(find_changes(rows), rows, report)
        return report

    def write(changes: list[FactChange]) -> None:
        # A correction may move spending from one account to another.
        accounts = {key for change in changes for row in change if row for key in accounts_of(row)}
        used = measure_budgets(accounts=accounts, now=now)
        write_facts(changes, action=lambda _row: "spending.recorded", by=by, now=now)
        watch_budgets(used_before=used, now=now)

    apply_facts(rows=rows, write=write, report=report)
    return report


def _form_of(fields: dict[str, Any]) -> FactForm:
    if fields.pop("kind", "spending") != "spending":
        text = _("Only spending is recorded here: use import_facts.")
        raise ValidationError(text, code="not_spending")
    return _SpendingForm(fields)
