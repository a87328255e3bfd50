"""Reading a whole list of people: its rows, and what the reader of its report should know."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from partners.contact_lists.addresses import has_address, people_of_line
from partners.contact_lists.columns import Columns, find_columns, find_layout
from partners.contact_lists.decoding import check_text, decode_list
from partners.contact_lists.people import people_of
from partners.contact_lists.records import MOST_ROWS, Record, read_records
from partners.contact_lists.rows import check_row
from partners.enums import ListColumn, ListProblem, ListRemark
from partners.models import BatchRow
from web.refused import Refused


@dataclass(slots=True)
class ListReading:
    """How a list was read: the columns by what they are, those passed over, and remarks.

    A column is named by its heading, or by its number. `remarks` have the number of rows.
    """

    columns: dict[str, list[str | int]] = field(default_factory=dict)
    unread: list[str | int] = field(default_factory=list)
    remarks: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ContactList:
    """The people, not saved and without a batch, each with a problem, a remark or neither."""

    people: Sequence[BatchRow]
    reading: ListReading


def read_list(content: bytes | str, *, mails_notes: bool = False) -> ContactList:
    """Read a list that another program has exported, or that was pasted. Raises Refused.

    With `mails_notes` a column of private notes is read as what is written to the person.
    """
    text, is_guessed = (content, False) if isinstance(content, str) else decode_list(content)
    layout = find_layout(check_text(text))
    rows = read_records(layout.text, layout.delimiter, first_number=layout.line + 1)
    if not rows:
        raise Refused(ListProblem.EMPTY)
    columns, heading = find_columns(rows, has_heading=layout.has_heading)
    records, footer = _without_footer(rows[heading:], columns)
    people = _checked(records, columns, mails_notes=mails_notes)
    if not people:
        raise Refused(ListProblem.EMPTY)
    is_table = columns.headings or not all(people_of_line(row.text) for row in records)
    reading = _reading(columns, mails_notes=mails_notes) if is_table else ListReading()
    reading.remarks = {
        remark.value: rows
        for remark, rows in (
            (ListRemark.WINDOWS_1252, int(is_guessed)),
            (ListRemark.BEFORE_HEADING, layout.line),
            (ListRemark.FOOTER, footer),
        )
        if rows
    }
    return ContactList(people, reading)


def _checked(records: Sequence[Record], columns: Columns, *, mails_notes: bool) -> list[BatchRow]:
    found: list[BatchRow] = []
    seen: set[str] = set()
    for record in records:
        for person in people_of(record, columns, mails_notes=mails_notes):
            person.number = len(found) + 1
            if not person.problem:
                check_row(person, seen)
            found.append(person)
        if len(found) > MOST_ROWS:
            raise Refused(ListProblem.TOO_MANY_ROWS)
    return found


def _without_footer(records: Sequence[Record], columns: Columns) -> tuple[Sequence[Record], int]:
    """Leave out lines of text at the end that an empty row divides from the table; say how many."""
    if not columns.headings or columns.width == 1:
        return records, 0
    start = len(records)
    while start and _is_line_of_text(records[start - 1]):
        start -= 1
    for end in range(max(start, 1), len(records)):
        if records[end].number > records[end - 1].number + 1:
            return records[:end], len(records) - end
    return records, 0


def _is_line_of_text(record: Record) -> bool:
    return record.filled == 1 and len(record.cells) == 1 and not has_address(record.text)


def _reading(columns: Columns, *, mails_notes: bool) -> ListReading:
    places = dict(columns.places)
    if mails_notes:
        notes = places.pop(ListColumn.PRIVATE_NOTE, [])
        places[ListColumn.NOTE] = [*places.get(ListColumn.NOTE, []), *notes]
    return ListReading(
        columns={
            column.value: [columns.name_of(place) for place in found if place in columns.filled]
            for column, found in places.items()
            if columns.filled.intersection(found)
        },
        unread=columns.unread,
    )
