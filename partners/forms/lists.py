"""Reading a list of people to invite: CSV with commas, semicolons or tabs, pasted or in a file."""

import csv
from collections.abc import Mapping, Sequence
from functools import lru_cache
from io import StringIO

from django.utils import translation
from django_countries import countries

from accounts.fields import NOT_OFFERED
from partners.enums import ListProblem, RowProblem
from partners.models import BatchRow
from web.downloads import FORMULA_STARTS
from web.email_addresses import InvalidAddress, canonical_address
from web.refused import Refused
from web.typed_text import address_of_named, clean_line, clean_lines

MOST_ROWS = 5_000
LONGEST_NAME = 120
LONGEST_NOTE = 500
_MARK = "\ufeff"
_DELIMITERS = ",;\t"
# The order of columns without a heading, and how their cells are cleaned.
_COLUMNS = {
    "name": clean_line,
    "email": address_of_named,
    "country": clean_line,
    "note": clean_lines,
}
_HEADINGS = {
    "name": "name",
    **dict.fromkeys(("email", "e-mail", "mail", "address", "e-mail address"), "email"),
    **dict.fromkeys(("country", "region", "country/region", "country or region"), "country"),
    "note": "note",
}
_EXTRA = "extra"


def read_list(content: bytes | str) -> list[BatchRow]:
    """Return the rows of the list, not saved and without a batch, each with its problem or "".

    Empty rows are passed over. A first row that names the columns may order them in any way, and
    name others, which are not read. Raises Refused.
    """
    text = _decoded(content) if isinstance(content, bytes) else content
    if "\0" in text:
        raise Refused(ListProblem.HAS_NUL)
    records = _records(text.removeprefix(_MARK))
    if not records:
        raise Refused(ListProblem.EMPTY)
    columns = _named_columns(records[0][1])
    if columns:
        records = records[1:]
    if not records:
        raise Refused(ListProblem.EMPTY)
    if len(records) > MOST_ROWS:
        raise Refused(ListProblem.TOO_MANY_ROWS)
    seen: set[str] = set()
    return [_person(number, _cells(record, columns), seen) for number, record in records]


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Refused(ListProblem.NOT_UTF8)
    if b"\0" in content:
        raise Refused(ListProblem.HAS_NUL)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(ListProblem.NOT_UTF8) from error


def _records(text: str) -> list[tuple[int, list[str]]]:
    """Return the rows that are not empty, with their numbers; stops when they are too many."""
    lines = csv.reader(StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    records: list[tuple[int, list[str]]] = []
    number = 0
    try:
        for record in lines:
            number += 1
            if any(cell.strip() for cell in record):
                records.append((number, record))
            if len(records) > MOST_ROWS + 1:
                raise Refused(ListProblem.TOO_MANY_ROWS)
    except csv.Error as error:
        raise Refused(ListProblem.NOT_CSV, row=number + 1) from error
    return records


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip(f" {_DELIMITERS}")), "")
    return max(_DELIMITERS, key=first.count)


def _named_columns(record: Sequence[str]) -> list[str] | None:
    named = [_HEADINGS.get(cell.strip().casefold(), "") for cell in record]
    return named if "email" in named else None


def _cells(record: Sequence[str], columns: Sequence[str] | None) -> Mapping[str, str]:
    """Return the cells by column; a row of one cell alone is an address."""
    if columns is None:
        filled = [cell for cell in record if cell.strip()]
        columns = ("email",) if len(filled) == 1 and filled[0] == record[0] else tuple(_COLUMNS)
    cells = {name: cell for name, cell in zip(columns, record, strict=False) if name}
    extra = "".join(record[len(columns) :]).strip()
    return {**cells, _EXTRA: extra}


def _person(number: int, cells: Mapping[str, str], seen: set[str]) -> BatchRow:
    """Return the row: in canonical form when it is good, as typed with its problem otherwise."""
    texts = {name: clean(cells.get(name, "")) for name, clean in _COLUMNS.items()}
    try:
        _check_texts(texts, cells[_EXTRA])
        country = _country(texts["country"])
        texts |= {"email": _address(texts["email"], seen), "country": country}
    except Refused as refused:
        return BatchRow(number=number, **texts, problem=refused.code.value)
    return BatchRow(number=number, **texts)


def _check_texts(texts: Mapping[str, str], extra: str) -> None:
    # The quote before a formula is what our own downloads put there.
    if any(cell.removeprefix("'").startswith(FORMULA_STARTS) for cell in texts.values()):
        raise Refused(RowProblem.FORMULA)
    if extra:
        raise Refused(RowProblem.TOO_MANY_CELLS)
    if len(texts["name"]) > LONGEST_NAME:
        raise Refused(RowProblem.NAME_TOO_LONG)
    if len(texts["note"]) > LONGEST_NOTE:
        raise Refused(RowProblem.NOTE_TOO_LONG)


def _address(text: str, seen: set[str]) -> str:
    if not text:
        raise Refused(RowProblem.NO_ADDRESS)
    try:
        address = canonical_address(text)
    except InvalidAddress as error:
        raise Refused(RowProblem.BAD_ADDRESS) from error
    if address in seen:
        raise Refused(RowProblem.DUPLICATE)
    seen.add(address)
    return address


def _country(text: str) -> str:
    """Return the code of a country given by its code or its English name; "" for no text."""
    code = _codes_of_countries().get(text.casefold()) if text else ""
    if code is None:
        raise Refused(RowProblem.UNKNOWN_COUNTRY)
    if code in NOT_OFFERED:
        raise Refused(RowProblem.COUNTRY_NOT_OFFERED)
    return code


@lru_cache(maxsize=1)
def _codes_of_countries() -> Mapping[str, str]:
    with translation.override("en"):
        names = {str(name).casefold(): code for code, name in countries}
    return {**names, **{code.casefold(): code for code in names.values()}}
