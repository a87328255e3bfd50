"""Recording spending, and in the same transaction what it means for budgets."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import IO

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.services.fact_lines import BrokenLine, FactLine, parse_spending
from accounts.services.fact_rows import stored_facts, write_facts
from accounts.services.line_files import (
    Batch,
    ImportReport,
    LineReport,
    check_lines,
    checked_batches,
)
from accounts.services.locks import lock_name
from association.services.budget_watch import lock_and_measure, watch_budgets

# How far the clock of another system may be before ours.
CLOCKS_DIFFER_BY = timedelta(minutes=5)


def record_spending(
    *,
    file: IO[bytes],
    now: datetime,
    broken: Callable[[LineReport], None],
    dry_run: bool = False,
) -> ImportReport:
    """Record the spending in a seekable file of JSON lines; broken lines are reported, each once.

    Idempotent by (source, external_id): what is known and equal stays untouched, what differs is
    corrected. An amount below zero is a refund. One transaction, which also alerts partners and
    freezes accounts (see `budget_watch`); any broken line means that nothing is written, and
    `dry_run` that only the report is made.

    Order of effects: every account that is named, or was before a correction, is locked in the
    order of the keys; then the rows are written; then the budgets are looked at.
    """

    def parse(number: int, content: bytes | None) -> FactLine:
        line = parse_spending(number, content)
        if line.values["occurred_at"] > now + CLOCKS_DIFFER_BY:
            raise BrokenLine(
                _("occurred_at lies ahead. Spending is recorded when it has happened.")
            )
        return line

    accounts: set[int] = set()
    report = check_lines(
        file=file, parse=parse, broken=broken, found=lambda batch: accounts.update(_accounts(batch))
    )
    if report.broken:
        return report
    with transaction.atomic():
        # Files that name the same spending in another order would wait for each other for ever.
        lock_name("association.record_spending")
        used = {} if dry_run else lock_and_measure(accounts=accounts, now=now)
        for lines, known in checked_batches(file=file, parse=parse):
            write_facts(
                lines=lines,
                known=known,
                report=report,
                action="spending.recorded",
                now=now,
                dry_run=dry_run,
            )
        if not dry_run:
            watch_budgets(used_before=used, now=now)
    return report


def _accounts(batch: Batch) -> Iterable[int]:
    """Yield the accounts that the lines name, and those that a correction takes spending from."""
    lines, known = batch
    if lines:
        yield from {known[name] for line in lines for name in line.accounts.values()}
        yield from {row.account_id for row in stored_facts(lines).values()}
