"""Importing facts: every line is checked before the first row is written, all or nothing."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import IO, Any

from django.db import transaction

from accounts.models import CustomerAccount
from accounts.services.fact_lines import ACCOUNT, ACCOUNT_FIELDS, FactLine, parse_line
from accounts.services.fact_rows import Change, record_changes, write_facts
from accounts.services.line_files import ImportReport, LineReport, check_lines, checked_batches


def import_facts(
    *,
    file: IO[bytes],
    now: datetime,
    broken: Callable[[LineReport], None],
    dry_run: bool = False,
) -> ImportReport:
    """Import the facts in a seekable file of JSON lines; broken lines are reported, each once.

    Idempotent by (source, external_id): what is known and equal stays untouched, what differs is
    updated. One transaction; any broken line means that nothing is written, and `dry_run` that
    only the report is made. Every row that is made or changed gets an audit event.
    """
    report = check_lines(file=file, parse=parse_line, broken=broken)
    if report.broken:
        return report
    with transaction.atomic():
        for lines, known in checked_batches(file=file, parse=parse_line):
            for kind in {line.kind for line in lines}:
                of_kind = [line for line in lines if line.kind == kind]
                if kind == ACCOUNT:
                    _write_accounts(of_kind, known, report, now, dry_run)
                else:
                    write_facts(
                        lines=of_kind,
                        known=known,
                        report=report,
                        action=f"{kind}.imported",
                        now=now,
                        dry_run=dry_run,
                    )
    return report


def _write_accounts(
    lines: Sequence[FactLine],
    known: dict[str, int],
    report: ImportReport,
    now: datetime,
    dry_run: bool,
) -> None:
    """Update what the lines say about accounts themselves; three statements."""
    values = {known[line.accounts[ACCOUNT]]: line.values for line in lines}
    rows: list[CustomerAccount] = []
    changes: list[Change] = []
    for account in CustomerAccount.objects.select_for_update().filter(pk__in=values):
        wanted = values[account.pk]
        held = {name: _plain(getattr(account, name)) for name in wanted}
        changed = [name for name in wanted if held[name] != wanted[name]]
        if not changed:
            report.unchanged += 1
            continue
        report.updated += 1
        for name in changed:
            setattr(account, name, wanted[name])
        rows.append(account)
        changes.append((account, {n: held[n] for n in changed}, {n: wanted[n] for n in changed}))
    if dry_run or not rows:
        return
    CustomerAccount.objects.bulk_update(rows, ACCOUNT_FIELDS)
    record_changes("customeraccount.imported", changes, now)


def _plain(value: Any) -> Any:
    """A country compares as its code."""
    return getattr(value, "code", value)
