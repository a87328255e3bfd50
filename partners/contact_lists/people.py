"""From one row of a list to its people: their names, addresses and the other cells."""

import unicodedata
from collections.abc import Callable, Iterable, Sequence

from partners.contact_lists.addresses import (
    Entry,
    has_address,
    is_one_address,
    people_of_line,
    person_of_line,
    split_people,
)
from partners.contact_lists.columns import Columns
from partners.contact_lists.countries import code_of_country
from partners.contact_lists.records import Record
from partners.enums import ListColumn, RowProblem, RowRemark
from partners.models import BatchRow
from web.email_addresses import canonical_or_none
from web.typed_text import clean_address, clean_line, clean_lines

_Cell = Callable[[ListColumn], str]


def people_of(record: Record, columns: Columns, *, mails_notes: bool) -> list[BatchRow]:
    """Return the people as typed, not checked: at least one, perhaps empty."""
    entries = [] if columns.headings else _people_of_text(record)
    if entries:
        return [_row(record, entry) for entry in entries]
    if record.is_broken:
        text, problem = record.text.strip(), RowProblem.BROKEN_QUOTES.value
        return [BatchRow(row_number=record.number, email=text, problem=problem)]
    cells = record.cells if columns.headings else _with_addresses_in_place(record.cells, columns)
    cell = _cell_reader(cells, columns)
    entries = _distinct(split_people(cell(ListColumn.EMAIL))) or [Entry("", "")]
    note = cell(ListColumn.NOTE) or (cell(ListColumn.PRIVATE_NOTE) if mails_notes else "")
    others = {
        "country": clean_line(cell(ListColumn.COUNTRY)),
        "note": clean_lines(note),
        "reference": clean_line(cell(ListColumn.REFERENCE)),
    }
    if any(cell.strip() for cell in record.cells[columns.width :]):
        others["problem"] = RowProblem.TOO_MANY_CELLS.value
    elif len(entries) > 1:
        others["remark"] = RowRemark.SEVERAL_ADDRESSES.value
    name, is_one = _joined_name(cell), len(entries) == 1
    names = [name or entry.name if is_one else entry.name or name for entry in entries]
    named = [entry._replace(name=name) for entry, name in zip(entries, names, strict=True)]
    return [_row(record, entry, **others) for entry in named]


def _people_of_text(record: Record) -> list[Entry]:
    """Return the people of a row that is no table's: none where its cells are to be read."""
    if people := people_of_line(record.text):
        return _distinct(people)
    person = person_of_line(record.text)
    is_divided = any(is_one_address(cell) for cell in record.cells)
    if person is None or is_divided or code_of_country(person.name.rpartition(",")[2]):
        return []
    return [person]


def _row(record: Record, entry: Entry, **others: str) -> BatchRow:
    name, email = clean_line(entry.name), clean_address(entry.address)
    return BatchRow(row_number=record.number, name=name, email=email, **others)


def _distinct(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries without those whose address comes before in the same row."""
    found: dict[str, Entry] = {}
    for entry in entries:
        found.setdefault(canonical_or_none(entry.address) or entry.address, entry)
    return list(found.values())


def _cell_reader(cells: Sequence[str], columns: Columns) -> _Cell:
    """Return a function that gives a column's cell: of several places the first that is filled."""

    def cell(column: ListColumn) -> str:
        texts = (cells[place] for place in columns.places.get(column, ()) if place < len(cells))
        return next((text for text in texts if text.strip()), "")

    return cell


def _with_addresses_in_place(cells: Sequence[str], columns: Columns) -> list[str]:
    """Return the cells of a row without headings, with its addresses where the others' are.

    In pasted lists the order differs from row to row: what is in that place is then the name.
    A note may name an address, and keeps it.
    """
    place = columns.places[ListColumn.EMAIL][0]
    notes = columns.places.get(ListColumn.PRIVATE_NOTE, ())
    found = [at for at, cell in enumerate(cells) if at not in notes and has_address(cell)]
    filled = [at for at, cell in enumerate(cells) if cell.strip()]
    if not found and len(filled) == 1:
        found = filled
    if not found:
        return list(cells)
    moved = ["" if at in found else cell for at, cell in enumerate(cells)]
    names = columns.places_of_names
    moved += [""] * (1 + max([place, *names]) - len(moved))
    if names and not any(moved[at].strip() for at in names):
        moved[names[0]] = moved[place]
    moved[place] = ";".join(cells[at] for at in found)
    return moved


def _joined_name(cell: _Cell) -> str:
    name = cell(ListColumn.NAME)
    if name:
        return name
    first, last = cell(ListColumn.FIRST_NAME).strip(), cell(ListColumn.LAST_NAME).strip()
    if first and last and _is_chinese(first) and _is_chinese(last):
        return f"{last}{first}"
    return f"{first} {last}".strip()


def _is_chinese(text: str) -> bool:
    return unicodedata.name(text[0], "").startswith("CJK UNIFIED")
