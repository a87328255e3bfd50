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
from accounts.services.fact_forms import AccountForm, FactForm

# All rows stay in memory until the last line is validated: about 1.4 GB for so many lines.
MOST_LINES = 1_000_000
LONGEST_LINE = 64 * 1024
BATCH = 500

# JSON in UTF-8, or an object that is parsed already.
Line = bytes | dict[str, Any]
# Returns the form for the fields of a line. Raises ValidationError for a kind it does not know.
FormOf = Callable[[dict[str, Any]], FactForm]


@dataclass(frozen=True, slots=True)
class LineError:
    """Why one line is rejected; lines are numbered from 1."""

    line: int
    reason: str


@dataclass(slots=True)
class ImportReport:
    """What an import did. With errors it did nothing."""

    lines: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: list[LineError] = field(default_factory=list)


def validate_lines(lines: Iterable[Line], form_of: FormOf, report: ImportReport) -> list[Any]:
    """Return the rows that the lines give, not saved; add lines and errors to the report.

    Empty lines are skipped. One query for each 500 lines.
    """
    rows: list[Any] = []
    line_of: dict[Hashable, int] = {}
    numbered = (
        (number, line)
        for number, line in enumerate(lines, 1)
        if isinstance(line, dict) or line.strip()
    )

    def reject(number: int, error: ValidationError) -> None:
        report.errors.append(LineError(number, " ".join(error.messages)))

    while batch := list(islice(numbered, BATCH)):
        if batch[-1][0] > MOST_LINES:
            text = _("There are more than %(most)d lines. Split the file.")
            reject(MOST_LINES + 1, ValidationError(text % {"most": MOST_LINES}))
            break
        report.lines += len(batch)
        forms: dict[int, FactForm] = {}
        for number, line in batch:
            try:
                forms[number] = _valid_form(line, form_of)
            except ValidationError as error:
                reject(number, error)
        known = _account_ids(forms.values())
        for number, form in forms.items():
            try:
                rows.append(_row(form, number, known, line_of))
            except ValidationError as error:
                reject(number, error)
    report.errors.sort(key=lambda error: error.line)
    return rows


def _valid_form(line: Line, form_of: FormOf) -> FactForm:
    form = form_of(parse_line(line))
    if form.is_valid():
        return form
    raise ValidationError(
        [
            text if name == NON_FIELD_ERRORS else f"{name}: {text}"
            for name, texts in form.errors.items()
            for text in texts
        ]
    )


def _row(
    form: FactForm, number: int, known: Mapping[str, int], line_of: dict[Hashable, int]
) -> Any:
    names = form.account_names()
    for field_name, name in names.items():
        if name not in known:
            text = _("%(field)s: There is no customer account with this name or address.")
            raise ValidationError(text % {"field": field_name})
    accounts = {field_name: known[name] for field_name, name in names.items()}
    if len(set(accounts.values())) < len(accounts):
        raise ValidationError(_("master and member are the same account."))
    data = form.cleaned_data
    keys: list[Hashable] = [(type(form), data["source"], data["external_id"])]
    if isinstance(form, AccountForm):
        keys.append(accounts["account"])
    for key in keys:
        first = line_of.setdefault(key, number)
        if first != number:
            raise ValidationError(_("This is a duplicate of line %(line)d.") % {"line": first})
    return form.row(accounts)


def _account_ids(forms: Iterable[FactForm]) -> dict[str, int]:
    names = {name for form in forms for name in form.account_names().values()}
    rows = CustomerAccount.objects.filter(
        Q(owner__account_name__in=names) | Q(owner__email__in=names)
    ).values_list("pk", "owner__account_name", "owner__email")
    return {text: pk for pk, *texts in rows for text in texts}


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
