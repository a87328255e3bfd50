"""Cost files in the FOCUS format, read as spending: one sum for each account and day.

FOCUS is the FinOps Open Cost and Usage Specification, versions 1.0 to 1.2, as CSV. Decision 0048
says which columns are read and what restated days do.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import CustomerAccount
from accounts.models.facts import CLOCKS_DIFFER_BY
from accounts.services.fact_lines import (
    LONGEST_LINE,
    MOST_LINES,
    Fault,
    ImportReport,
    LineError,
)
from accounts.services.fact_writes import chunks
from association.services.spending_records import record_spending
from audit.models import Actor

READ = (
    *("BilledCost", "BillingCurrency", "ChargeCategory", "ChargeClass"),
    *("ChargePeriodStart", "ChargePeriodEnd", "SubAccountId"),
)
CATEGORIES = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")
CORRECTION = "Correction"
# How exports write a null in CSV.
NULLS = frozenset({"", "null", "NULL", "Null"})
# Reading goes on after an error, so that one run names many, but not all of a large file.
MOST_ERRORS = 1_000
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?")
_SMALLEST_EXPONENT, _MOST = -45, Decimal(10) ** 12
# Enough digits for the exact sum of so many such numbers.
_EXACT = Context(prec=80)
_CENT = Decimal("0.01")
# The first bytes of such a file; exports are often compressed so.
_GZIP = b"\x1f\x8b"
_FIELDS = {
    "amount": "BilledCost",
    "occurred_at": "ChargePeriodStart",
    "account_external_id": "SubAccountId",
}


@dataclass(slots=True)
class CostReport(ImportReport):
    """What was done; the counts are of sums. `without_account` counts rows of no sub account."""

    without_account: int = 0


@dataclass(slots=True)
class _Sum:
    """What an account was billed for a day, and the line that named it first."""

    line: int
    amount: Decimal


@dataclass(slots=True)
class _Costs:
    sums: dict[tuple[str, date], _Sum] = field(default_factory=dict)
    errors: list[LineError] = field(default_factory=list)
    # The line that named each account first, with errors or not.
    accounts: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    without_account: int = 0


class _Unreadable(Exception):
    """Nothing behind this line can be read."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.error = LineError(line, (Fault("", "unreadable", text),))


def record_focus_costs(
    *,
    lines: Iterable[bytes],
    source: str = "focus",
    now: datetime,
    dry_run: bool = False,
    by: Actor = None,
) -> CostReport:
    """Record the costs of a file as spending, through `record_spending()`, all or nothing.

    The sum of an account and a day (of ChargePeriodStart, in UTC) is stored once per `source`, as
    spent when the day began; another file with the day corrects it. Memory grows with accounts and
    days, not with rows.
    """
    costs = _read(lines, now)
    sums = list(costs.sums.items())
    unknown, accounts = _find_accounts(costs.accounts)
    errors = _joined([*costs.errors, *unknown[:MOST_ERRORS]])
    if errors:
        return CostReport(costs.rows, errors=errors, without_account=costs.without_account)
    report = record_spending(
        lines=(_line(source, accounts, key, one) for key, one in sums),
        now=now,
        dry_run=dry_run,
        by=by,
    )
    return CostReport(
        lines=costs.rows,
        created=report.created,
        updated=report.updated,
        unchanged=report.unchanged,
        errors=[_error_of_sum(error, sums[error.line - 1][1]) for error in report.errors],
        without_account=costs.without_account,
    )


def _line(
    source: str, accounts: Mapping[str, int], key: tuple[str, date], one: _Sum
) -> dict[str, Any]:
    account, day = key
    return {
        "source": source,
        # By our key: another external id of the account must not count the day twice.
        "external_id": f"{day} {accounts[account]}",
        "account_external_id": account,
        "amount": str(one.amount.quantize(_CENT, ROUND_HALF_UP, context=_EXACT)),
        "occurred_at": f"{day}T00:00:00Z",
    }


def _error_of_sum(error: LineError, one: _Sum) -> LineError:
    """Return the error of a sum as one of the line that named it first."""
    faults = [replace(row, field=_FIELDS.get(row.field, row.field)) for row in error.faults]
    return LineError(one.line, tuple(faults))


def _joined(errors: Iterable[LineError]) -> list[LineError]:
    """Return one error for each line, in the order of the lines."""
    faults: dict[int, tuple[Fault, ...]] = {}
    for error in errors:
        faults[error.line] = faults.get(error.line, ()) + error.faults
    return [LineError(line, faults[line]) for line in sorted(faults)]


def _find_accounts(first: Mapping[str, int]) -> tuple[list[LineError], dict[str, int]]:
    """Return the keys of the accounts by external id, and an error for each unknown one.

    `first` has the line that named each account first.
    """
    known: dict[str, int] = {}
    for chunk in chunks(list(first)):
        rows = CustomerAccount.objects.filter(external_id__in=chunk)
        known |= {str(text): pk for pk, text in rows.values_list("pk", "external_id")}
    text = _("There is no customer account with this external id.")
    errors = [
        LineError(line, (Fault("SubAccountId", "unknown_account", text),))
        for account, line in sorted(first.items(), key=lambda item: item[1])
        if account not in known
    ]
    return errors, known


def _read(lines: Iterable[bytes], now: datetime) -> _Costs:
    costs = _Costs()
    reader = csv.reader(_texts(lines), strict=True)
    try:
        header = next(reader, None) or []
        places = _places_of(header)
        began = reader.line_num + 1
        for cells in reader:
            # Parts of an export can be read one after the other: each repeats the header.
            if cells and cells != header:
                _add(costs, began, cells, places, len(header), now)
                _refuse_too_many(costs, began)
            began = reader.line_num + 1
    except csv.Error as error:
        text = _("The line is not CSV: %(why)s.") % {"why": error}
        costs.errors.append(LineError(reader.line_num, (Fault("", "unreadable", text),)))
    except _Unreadable as unreadable:
        costs.errors.append(unreadable.error)
    return costs


def _refuse_too_many(costs: _Costs, line: int) -> None:
    if len(costs.errors) >= MOST_ERRORS:
        raise _Unreadable(line + 1, _("The lines from here on were not read."))
    if len(costs.sums) > MOST_LINES:
        text = _("The file has more than %(most)d accounts and days. Split it by day.")
        raise _Unreadable(line, text % {"most": MOST_LINES})


def _texts(lines: Iterable[bytes]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if number == 1 and line.startswith(_GZIP):
            raise _Unreadable(number, _("The file is compressed by gzip. Unpack it first."))
        if len(line.rstrip(b"\r\n")) > LONGEST_LINE:
            text = _("The line is longer than %(most)d bytes.") % {"most": LONGEST_LINE}
            raise _Unreadable(number, text)
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            raise _Unreadable(number, _("The line is not UTF-8.")) from error
        if "\0" in text:
            raise _Unreadable(number, _("The line has a null character."))
        yield text.removeprefix("\ufeff") if number == 1 else text


def _places_of(header: list[str]) -> dict[str, int]:
    missing = [name for name in READ if header.count(name) != 1]
    if missing:
        text = _("The first line must name each of these columns once: %(names)s.")
        raise _Unreadable(1, text % {"names": ", ".join(missing)})
    return {name: header.index(name) for name in READ}


def _add(
    costs: _Costs, line: int, cells: list[str], places: dict[str, int], width: int, now: datetime
) -> None:
    """Add a row to the sum of its account and day, or its faults to the errors."""
    costs.rows += 1
    if len(cells) != width:
        text = _("The line has %(found)d columns, the first one %(width)d.")
        fault = Fault("", "columns", text % {"found": len(cells), "width": width})
        costs.errors.append(LineError(line, (fault,)))
        return
    row = {name: cells[place] for name, place in places.items()}
    faults: list[Fault] = []
    amount = _checked(faults, "BilledCost", _amount_of, row["BilledCost"])
    start = _checked(faults, "ChargePeriodStart", _moment_of, row["ChargePeriodStart"])
    end = _checked(faults, "ChargePeriodEnd", _moment_of, row["ChargePeriodEnd"])
    faults += _check_codes(row)
    if start and end and end <= start:
        faults.append(_fault("ChargePeriodEnd", _("It must be after ChargePeriodStart.")))
    if start and start > now + CLOCKS_DIFFER_BY:
        text = _("This moment is in the future. Report it afterwards.")
        faults.append(_fault("ChargePeriodStart", text))
    if row["SubAccountId"] not in NULLS:
        costs.accounts.setdefault(row["SubAccountId"], line)
    if faults or amount is None or start is None:
        costs.errors.append(LineError(line, tuple(faults)))
    elif row["SubAccountId"] in NULLS:
        costs.without_account += 1
    else:
        one = costs.sums.setdefault((row["SubAccountId"], start.date()), _Sum(line, Decimal()))
        one.amount = _EXACT.add(one.amount, amount)


def _check_codes(row: Mapping[str, str]) -> Iterator[Fault]:
    if row["BillingCurrency"] != settings.CURRENCY:
        text = _("Amounts are in %(currency)s.") % {"currency": settings.CURRENCY}
        yield _fault("BillingCurrency", text)
    if row["ChargeCategory"] not in CATEGORIES:
        yield _fault("ChargeCategory", _write_one_of(CATEGORIES))
    if row["ChargeClass"] not in NULLS and row["ChargeClass"] != CORRECTION:
        yield _fault("ChargeClass", _write_one_of([CORRECTION]))


def _write_one_of(codes: Iterable[str]) -> str:
    return _("Write one of: %(codes)s.") % {"codes": ", ".join(codes)}


def _fault(name: str, text: str) -> Fault:
    return Fault(name, "invalid", text)


def _checked(faults: list[Fault], name: str, read: Any, text: str) -> Any:
    try:
        return read(text)
    except ValidationError as error:
        faults.append(_fault(name, error.messages[0]))
        return None


def _amount_of(text: str) -> Decimal:
    amount = Decimal(text) if _NUMBER.fullmatch(text) else None
    exponent = None if amount is None else amount.as_tuple().exponent
    if amount is None or not isinstance(exponent, int):
        raise ValidationError(_('Write a number, like "0.0125".'))
    if exponent < _SMALLEST_EXPONENT or abs(amount) >= _MOST:
        raise ValidationError(_("The number is too large or too small."))
    return amount


@lru_cache(maxsize=10_000)
def _moment_of(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError(text)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        message = _('Write a moment with its zone, like "2026-01-31T09:00:00Z".')
        raise ValidationError(message) from error
