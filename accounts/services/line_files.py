"""Files of facts that are checked whole before the first row is written: all or nothing.

Such a file is read twice, in batches, so memory does not grow with it. What a line repeats is found
with a private database on disk.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import CustomerAccount
from accounts.services.fact_lines import ACCOUNT, BrokenLine, FactLine, read_lines

BATCH = 500

# Reads one line. Raises BrokenLine.
Parser = Callable[[int, bytes | None], FactLine]
# The lines of a batch that are in order, and the accounts they name.
Batch = tuple[list[FactLine], dict[str, int]]


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


def check_lines(
    *,
    file: IO[bytes],
    parse: Parser,
    broken: Callable[[LineReport], None],
    found: Callable[[Batch], None] | None = None,
) -> ImportReport:
    """Read the whole file and report each broken line once; `found` is given what is in order.

    Two statements a batch at the most, and none of them writes.
    """
    report = ImportReport()
    # A database without a name lives on disk and vanishes when it is closed.
    seen = sqlite3.connect("")
    try:
        seen.execute("CREATE TABLE seen (key TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID")
        for batch in _batches(file):
            report.lines += len(batch)
            lines, faults = _parsed(batch, parse)
            known = accounts_by_name(lines)
            for line in lines:
                fault = _unknown_account(line, known) or _repetition(line, known, seen)
                if fault:
                    faults[line.number] = fault
            for number in sorted(faults):
                report.broken += 1
                broken(LineReport(number, faults[number]))
            if found is not None:
                found(([line for line in lines if line.number not in faults], known))
    finally:
        seen.close()
    return report


def checked_batches(*, file: IO[bytes], parse: Parser) -> Iterator[Batch]:
    """Read a file again in which no line is broken, from its beginning."""
    file.seek(0)
    for batch in _batches(file):
        lines = [parse(number, content) for number, content in batch]
        yield lines, accounts_by_name(lines)


def accounts_by_name(lines: Sequence[FactLine]) -> dict[str, int]:
    """Return the ids of the accounts that the lines name, by name and by address."""
    names = {name for line in lines for name in line.accounts.values()}
    rows = CustomerAccount.objects.filter(
        Q(owner__account_name__in=names) | Q(owner__email__in=names)
    ).values_list("pk", "owner__account_name", "owner__email")
    return {text: pk for pk, *texts in rows for text in texts}


def _batches(file: IO[bytes]) -> Iterator[list[tuple[int, bytes | None]]]:
    lines = read_lines(file)
    while batch := list(islice(lines, BATCH)):
        yield batch


def _parsed(
    batch: Sequence[tuple[int, bytes | None]], parse: Parser
) -> tuple[list[FactLine], dict[int, str]]:
    """The lines that are well formed, and what is wrong with the others, by number."""
    lines: list[FactLine] = []
    faults: dict[int, str] = {}
    for number, content in batch:
        try:
            lines.append(parse(number, content))
        except BrokenLine as error:
            faults[number] = error.reason
    return lines, faults


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
