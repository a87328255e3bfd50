"""Importing facts: every line is checked before the first row is written, all or nothing.

The file is read twice, in batches, so memory does not grow with it. What a line repeats is found
with a private database on disk.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import IO, Any

from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import AuditEvent, CustomerAccount
from accounts.models.facts import Fact
from accounts.services.fact_lines import (
    ACCOUNT,
    ACCOUNT_FIELDS,
    FACTS,
    BrokenLine,
    FactLine,
    account_fields,
    fact_fields,
    parse_line,
    read_lines,
)

BATCH = 500

# A row with what it held, None if it is new, and what it holds.
Change = tuple[models.Model, dict[str, Any] | None, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class LineReport:
    """What is wrong with one line."""

    line: int
    reason: str


@dataclass(slots=True)
class ImportReport:
    """What an import did, or with `broken` lines did not do."""

    lines: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    broken: int = 0


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
    report = _check(file, broken)
    if report.broken:
        return report
    file.seek(0)
    with transaction.atomic():
        for batch in _batches(file):
            lines = [parse_line(number, content) for number, content in batch]
            known = _accounts_by_name(lines)
            for kind in {line.kind for line in lines}:
                of_kind = [line for line in lines if line.kind == kind]
                write = _write_accounts if kind == ACCOUNT else _write_facts
                write(of_kind, known, report, now, dry_run)
    return report


def _batches(file: IO[bytes]) -> Iterator[list[tuple[int, bytes | None]]]:
    lines = read_lines(file)
    while batch := list(islice(lines, BATCH)):
        yield batch


# --- first reading: is every line right?


def _check(file: IO[bytes], broken: Callable[[LineReport], None]) -> ImportReport:
    report = ImportReport()
    # A database without a name lives on disk and vanishes when it is closed.
    seen = sqlite3.connect("")
    try:
        seen.execute("CREATE TABLE seen (key TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID")
        for batch in _batches(file):
            report.lines += len(batch)
            for fault in _faults(batch, seen):
                report.broken += 1
                broken(fault)
    finally:
        seen.close()
    return report


def _faults(
    batch: Sequence[tuple[int, bytes | None]], seen: sqlite3.Connection
) -> Iterator[LineReport]:
    lines: list[FactLine] = []
    faults: dict[int, str] = {}
    for number, content in batch:
        try:
            lines.append(parse_line(number, content))
        except BrokenLine as error:
            faults[number] = error.reason
    known = _accounts_by_name(lines)
    for line in lines:
        fault = _unknown_account(line, known) or _repetition(line, known, seen)
        if fault:
            faults[line.number] = fault
    for number in sorted(faults):
        yield LineReport(number, faults[number])


def _unknown_account(line: FactLine, known: dict[str, int]) -> str | None:
    for name, account in line.accounts.items():
        if account not in known:
            return _("There is no customer account for %(name)s.") % {"name": name}
    ids = {known[account] for account in line.accounts.values()}
    if len(ids) < len(line.accounts):
        return _("master and member are the same account.")
    return None


def _repetition(line: FactLine, known: dict[str, int], seen: sqlite3.Connection) -> str | None:
    keys = ["\0".join(line.key)]
    if line.kind == ACCOUNT:
        keys.append(f"{ACCOUNT}\0{known[line.accounts[ACCOUNT]]}")
    for key in keys:
        row = seen.execute("SELECT line FROM seen WHERE key = ?", [key]).fetchone()
        if row:
            return _("This is the same as line %(line)d, by source and external id.") % {
                "line": row[0]
            }
    seen.executemany("INSERT INTO seen VALUES (?, ?)", [(key, line.number) for key in keys])
    return None


def _accounts_by_name(lines: Sequence[FactLine]) -> dict[str, int]:
    """Return the ids of the accounts that the lines name, by name and by address."""
    names = {name for line in lines for name in line.accounts.values()}
    rows = CustomerAccount.objects.filter(
        Q(owner__account_name__in=names) | Q(owner__email__in=names)
    ).values_list("pk", "owner__account_name", "owner__email")
    return {text: pk for pk, *texts in rows for text in texts}


# --- second reading: write


def _write_facts(
    lines: Sequence[FactLine],
    known: dict[str, int],
    report: ImportReport,
    now: datetime,
    dry_run: bool,
) -> None:
    """Make or update the facts of one kind; four statements, whatever their number."""
    model = FACTS[lines[0].kind]
    foreign = [f"{name}_id" for name in account_fields(lines[0].kind)]
    columns = [*foreign, *fact_fields(model)]
    stored = _stored(model, lines)
    rows: list[Fact] = []
    before: list[dict[str, Any] | None] = []
    for line in lines:
        accounts = {f"{name}_id": known[account] for name, account in line.accounts.items()}
        wanted = accounts | line.values
        old = stored.get((line.source, line.external_id))
        held = None if old is None else {name: getattr(old, name) for name in columns}
        if held == wanted:
            report.unchanged += 1
            continue
        report.created += held is None
        report.updated += held is not None
        before.append(held)
        rows.append(model(source=line.source, external_id=line.external_id, **wanted))
    if dry_run or not rows:
        return
    model._default_manager.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["source", "external_id"],
        update_fields=[*account_fields(lines[0].kind), *fact_fields(model)],
    )
    changes: list[Change] = [
        (row, held, {name: getattr(row, name) for name in columns})
        for row, held in zip(rows, before, strict=True)
    ]
    _record(f"{lines[0].kind}.imported", changes, now)


def _stored(model: type[Fact], lines: Sequence[FactLine]) -> dict[tuple[str, str], Any]:
    ids = defaultdict(set)
    for line in lines:
        ids[line.source].add(line.external_id)
    wanted = Q()
    for source, external_ids in ids.items():
        wanted |= Q(source=source, external_id__in=external_ids)
    rows = model._default_manager.filter(wanted)
    return {(row.source, row.external_id): row for row in rows}


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
    _record("customeraccount.imported", changes, now)


def _record(action: str, changes: Sequence[Change], now: datetime) -> None:
    """Write the audit events of a batch in one statement; a command has no actor."""
    AuditEvent.objects.bulk_create(
        AuditEvent(
            occurred_at=now,
            action=action,
            object_label=row._meta.label_lower,
            object_id=str(row.pk),
            before=before,
            after=after,
        )
        for row, before, after in changes
    )


def _plain(value: Any) -> Any:
    """A country compares as its code."""
    return getattr(value, "code", value)
