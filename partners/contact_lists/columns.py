"""Which column of a list is what: by its heading, or by the shape of its cells."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from partners.contact_lists.addresses import has_address, is_one_address
from partners.contact_lists.countries import code_of_country
from partners.contact_lists.headings import column_of, is_ours
from partners.contact_lists.records import Record
from partners.enums import ListColumn

_DELIMITERS = ",;\t"
# Excel's way to name the delimiter, which it hides itself.
_DELIMITER_LINE = re.compile(r'"?sep=([^\n])"?\n', re.IGNORECASE)
# Some programs write notes before the heading. Further down it is the people's part.
_LINES_LOOKED_AT = 20
# Of a list without heading: name, e-mail, country, note.
_USUAL_WIDTH = 4
_MOST_COLUMNS = 300
# More of a heading does not help to find the column.
_LONGEST_HEADING = 60


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the heading is and what divides the cells; without a heading the list begins at once.

    `line` is the number of lines before the heading.
    """

    text: str
    delimiter: str
    line: int = 0
    has_heading: bool = False


@dataclass(frozen=True, slots=True)
class Columns:
    """The places of what is read. Without headings the cells of one row may differ."""

    places: Mapping[ListColumn, Sequence[int]]
    width: int
    headings: Sequence[str] = ()
    filled: frozenset[int] = frozenset()

    def name_of(self, place: int) -> str | int:
        """Return the heading, or the number of a column that has none."""
        heading = self.headings[place].strip() if place < len(self.headings) else ""
        return heading[:_LONGEST_HEADING] or place + 1

    @property
    def places_of_names(self) -> list[int]:
        names = (ListColumn.NAME, ListColumn.FIRST_NAME, ListColumn.LAST_NAME)
        return [place for name in names for place in self.places.get(name, ())]

    @property
    def unread(self) -> list[str | int]:
        """The columns that have something in them and are not read, without those of our own."""
        read = {place for places in self.places.values() for place in places}
        others = (place for place in sorted(self.filled - read) if place < self.width)
        names = [self.name_of(place) for place in others]
        return [name for name in names if isinstance(name, int) or not is_ours(name)]


def find_layout(text: str) -> Layout:
    """Return how the text is divided, with the heading that names the address, if one does."""
    named = _DELIMITER_LINE.match(text)
    delimiters = named[1] if named and named[1] not in '"\r' else _DELIMITERS
    text = text[named.end() :] if named else text
    lines = text.split("\n", _LINES_LOOKED_AT)[:_LINES_LOOKED_AT]
    for number, line in enumerate(lines):
        if has_address(line):
            break
        found = {delimiter: _fields(line, delimiter) for delimiter in delimiters}
        best = max(delimiters, key=lambda delimiter: len(found[delimiter]))
        if ListColumn.EMAIL in found[best]:
            rest = text.split("\n", number)[number]
            return Layout(rest, best, number, has_heading=True)
    return Layout(text, max(delimiters, key=lambda delimiter: _score(lines, delimiter)))


def find_columns(records: Sequence[Record], *, has_heading: bool) -> tuple[Columns, int]:
    """Return what the columns are, and how many of the rows are their heading."""
    first = records[0]
    headings = first.cells[:_MOST_COLUMNS]
    if not has_heading:
        has_heading = _is_heading(first) and any(has_address(row.text) for row in records[1:])
    if not has_heading:
        return _columns_by_shape(records), 0
    body = records[1:]
    places: dict[ListColumn, list[int]] = {}
    for place, heading in enumerate(headings):
        if column := column_of(heading):
            places.setdefault(column, []).append(place)
    if ListColumn.EMAIL not in places:
        shaped = _places_where(has_address, body, len(first.cells)) or [0]
        places = {name: [p for p in found if p not in shaped] for name, found in places.items()}
        places = {**places, ListColumn.EMAIL: shaped}
    found = {column: where for column, where in places.items() if where}
    return Columns(_with_last_names(found), len(first.cells), headings, _filled(body)), 1


def _filled(records: Sequence[Record]) -> frozenset[int]:
    rows = (row.cells[:_MOST_COLUMNS] for row in records)
    cells = ((place, cell) for row in rows for place, cell in enumerate(row))
    return frozenset(place for place, cell in cells if cell.strip())


def _is_heading(record: Record) -> bool:
    headings = record.cells[:_MOST_COLUMNS]
    return not has_address(record.text) and any(column_of(heading) for heading in headings)


def _with_last_names(places: dict[ListColumn, list[int]]) -> Mapping[ListColumn, Sequence[int]]:
    """Beside "Vorname" alone, "Name" is the last name."""
    if ListColumn.FIRST_NAME in places and ListColumn.LAST_NAME not in places:
        names = places.pop(ListColumn.NAME, [])
        return places | ({ListColumn.LAST_NAME: names} if names else {})
    return places


def _columns_by_shape(records: Sequence[Record]) -> Columns:
    """Return the columns of a list without heading: the usual order, unless the cells say more."""
    width = min(_MOST_COLUMNS, max(_USUAL_WIDTH, len(records[0].cells)))
    is_single = all(len(row.cells) == 1 for row in records)
    addresses = _places_where(has_address, records, _MOST_COLUMNS) or [0 if is_single else 1]
    others = [place for place in range(width) if place not in addresses]
    is_usual = addresses == [1] and width == _USUAL_WIDTH
    countries = _places_where(lambda cell: code_of_country(cell) is not None, records, width)
    country = [place for place in others if place in countries][:1] or ([2] if is_usual else [])
    numbers = _places_where(lambda cell: cell.strip().isdecimal(), records, width)
    names = [place for place in others if place not in {*country, *numbers}]
    before = [place for place in names if place < addresses[0]][:2] or names[:1]
    places: dict[ListColumn, Sequence[int]] = {ListColumn.EMAIL: addresses}
    if len(before) == 2:
        places |= {ListColumn.FIRST_NAME: before[:1], ListColumn.LAST_NAME: before[1:]}
    else:
        places |= {ListColumn.NAME: before}
    if country:
        places |= {ListColumn.COUNTRY: country}
    if is_usual:
        places |= {ListColumn.PRIVATE_NOTE: [3]}
    return Columns(places, width, filled=_filled(records))


def _places_where(fits: Callable[[str], bool], records: Sequence[Record], width: int) -> list[int]:
    """Return the columns in which most of the cells that are not empty fit."""
    filled: Counter[int] = Counter()
    fitting: Counter[int] = Counter()
    for row in records:
        for place, cell in enumerate(row.cells[:width]):
            if cell.strip():
                filled[place] += 1
                fitting[place] += fits(cell)
    return [place for place in sorted(filled) if 2 * fitting[place] > filled[place]]


def _fields(line: str, delimiter: str) -> list[ListColumn]:
    return [column for cell in _cells(line, delimiter) if (column := column_of(cell))]


def _score(lines: Sequence[str], delimiter: str) -> tuple[int, int]:
    """Return how many cells are one address, then how often the first line is divided."""
    cells = [cell for line in lines for cell in _cells(line, delimiter)]
    addresses = sum(map(is_one_address, cells))
    first = next((line for line in lines if line.strip(f" {_DELIMITERS}")), "")
    return addresses, first.count(delimiter)


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])[:_MOST_COLUMNS]
    except csv.Error:
        return []
