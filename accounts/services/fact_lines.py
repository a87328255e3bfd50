"""Lines of JSON that each give one fact: all are validated before the first row is written."""

import json
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import CustomerAccount
from accounts.models.facts import Fact
from accounts.services.fact_forms import AccountForm, AccountKey, FactForm

# All rows stay in memory until the last line is validated: about 1.4 GB for so many lines.
MOST_LINES = 1_000_000
LONGEST_LINE = 64 * 1024
BATCH = 500

# JSON in UTF-8, or an object that is parsed already.
Line = bytes | dict[str, Any]
# Returns the form for the fields of a line. Raises ValidationError for a kind it does not know.
FormOf = Callable[[dict[str, Any]], FactForm]
# The first line, and its row, that has given the fact of this key.
Given = dict[Hashable, tuple[int, Any]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a line; `field` is empty where it is about the whole line."""

    field: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class LineError:
    """Why one line is rejected; lines are numbered from 1."""

    line: int
    faults: tuple[Fault, ...]

    @property
    def reason(self) -> str:
        """All faults in one text."""
        # repr() escapes characters of unknown fields that would control a terminal.
        texts = (
            f"{repr(row.field)[1:-1]}: {row.text}" if row.field else row.text for row in self.faults
        )
        return " ".join(texts)


@dataclass(slots=True)
class ImportReport:
    """What an import did. With errors it did nothing."""

    lines: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: list[LineError] = field(default_factory=list)

    def reject(self, line: int, error: ValidationError) -> None:
        """Add why this line is rejected."""
        self.errors.append(LineError(line, _faults_of(error)))


def validate_lines(lines: Iterable[Line], form_of: FormOf, report: ImportReport) -> list[Any]:
    """Return the rows that the lines give, not saved; add lines and errors to the report.

    Empty lines are skipped. A line that gives again what an earlier one gave is counted as
    unchanged: systems that send at least once repeat events. At most two queries for 500 lines.
    """
    rows: list[Any] = []
    given: Given = {}
    numbered = (
        (number, line)
        for number, line in enumerate(lines, 1)
        if isinstance(line, dict) or line.strip()
    )

    while batch := list(islice(numbered, BATCH)):
        if batch[-1][0] > MOST_LINES:
            text = _("There are more than %(most)d lines. Split the file.")
            report.reject(MOST_LINES + 1, ValidationError(text % {"most": MOST_LINES}))
            break
        report.lines += len(batch)
        forms: dict[int, FactForm] = {}
        for number, line in batch:
            try:
                forms[number] = form_of(parse_line(line))
                forms[number].line = number
            except ValidationError as error:
                report.reject(number, error)
        known = _account_ids(forms.values())
        for number, form in forms.items():
            try:
                row = _new_row(form, number, known, given)
            except ValidationError as error:
                report.reject(number, error)
                continue
            if row is None:
                report.unchanged += 1
            else:
                rows.append(row)
    report.errors.sort(key=lambda error: error.line)
    return rows


def _faults_of(error: ValidationError) -> tuple[Fault, ...]:
    by_field = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: [error]}
    return tuple(
        Fault("" if name == NON_FIELD_ERRORS else name, one.code or "invalid", text)
        for name, errors in by_field.items()
        for found in errors
        for one in found.error_list
        for text in one.messages
    )


def _new_row(
    form: FactForm, number: int, known: Mapping[AccountKey, int], given: Given
) -> Any | None:
    """Return the row of a line, or None if an earlier line has given the same."""
    accounts = _accounts_of(form, known)
    row, data = form.row(accounts), form.cleaned_data
    keys: list[Hashable] = [(type(form), data["source"], data["external_id"])]
    if isinstance(form, AccountForm):
        keys.append(next(iter(accounts.values())))
    earlier = [given.setdefault(key, (number, row)) for key in keys]
    for first, other in earlier:
        if other is not row and not _is_equal(other, row):
            text = _("This contradicts line %(line)d.") % {"line": first}
            raise ValidationError(text, code="contradiction")
    return row if all(other is row for _first, other in earlier) else None


def _accounts_of(form: FactForm, known: Mapping[AccountKey, int]) -> dict[str, int]:
    """Return the keys of the accounts by the fields that name them, of a line without errors."""
    named = form.account_keys()
    # Together, so that one answer names all errors.
    errors: dict[str, Any] = dict(form.errors.as_data())
    errors |= {name: _no_account(key) for name, key in named.items() if key not in known}
    errors |= {name: _unknown_field() for name in form.unknown_fields()}
    if errors:
        raise ValidationError(errors)
    accounts = {name: known[key] for name, key in named.items()}
    if len(set(accounts.values())) < len(accounts):
        raise ValidationError(_("master and member are the same account."))
    return accounts


def _unknown_field() -> ValidationError:
    return ValidationError(_("Unknown field."), code="unknown")


def _no_account(key: AccountKey) -> ValidationError:
    text = _("There is no customer account with this name or address.")
    if key.is_external_id:
        text = _("There is no customer account with this external id.")
    return ValidationError(text, code="unknown_account")


def _is_equal(one: Any, other: Any) -> bool:
    """Whether two rows that are not stored have the same values."""
    if isinstance(one, Fact) and isinstance(other, Fact):
        return all(
            getattr(one, field.attname) == getattr(other, field.attname)
            for field in one._meta.concrete_fields
        )
    return bool(one == other)


def _account_ids(forms: Iterable[FactForm]) -> dict[AccountKey, int]:
    keys = {key for form in forms for key in form.account_keys().values()}
    # Two statements: of one with both conditions no index serves both.
    found = _ids_by_name({key.text for key in keys if not key.is_external_id})
    external = {key.text for key in keys if key.is_external_id}
    if external:
        rows = CustomerAccount.objects.filter(external_id__in=external)
        for pk, text in rows.values_list("pk", "external_id"):
            found[AccountKey(str(text), True)] = pk
    return found


def _ids_by_name(names: set[str]) -> dict[AccountKey, int]:
    if not names:
        return {}
    rows = CustomerAccount.objects.filter(
        Q(owner__account_name__in=names) | Q(owner__email__in=names)
    ).values_list("pk", "owner__account_name", "owner__email")
    return {AccountKey(text, False): pk for pk, *texts in rows for text in texts}


def parse_line(line: Line) -> dict[str, Any]:
    """Return the object that the line gives. Raises ValidationError."""
    if isinstance(line, dict):
        return dict(line)
    if len(line.rstrip(b"\r\n")) > LONGEST_LINE:
        raise ValidationError(_("The line is longer than %(most)d bytes.") % {"most": LONGEST_LINE})
    if line.startswith(b"\xef\xbb\xbf"):
        raise ValidationError(_("The line begins with a byte order mark. Save the file without."))
    try:
        fields = json.loads(
            line.decode("utf-8"), object_pairs_hook=_unique_names, parse_constant=_no_constant
        )
    except UnicodeDecodeError as error:
        raise ValidationError(_("The line is not UTF-8.")) from error
    except (ValueError, RecursionError) as error:
        raise ValidationError(_("The line is not JSON.")) from error
    if not isinstance(fields, dict):
        raise ValidationError(_("The line is not a JSON object."))
    return fields


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name in fields:
            raise ValidationError(_("The field %(name)r appears twice.") % {"name": name[:40]})
        fields[name] = value
    return fields


def _no_constant(name: str) -> None:
    raise ValidationError(_("%(name)s is not a JSON value.") % {"name": name})
