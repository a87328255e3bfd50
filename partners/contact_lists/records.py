"""The rows of a list as CSV has them; a row whose quotation marks are broken does no harm."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from partners.enums import ListProblem
from web.refused import Refused

MOST_ROWS = 5_000
# What may come before and after the people.
_OTHER_ROWS = 50


@dataclass(frozen=True, slots=True)
class Record:
    """One row; of a broken one `cells` is its text alone."""

    number: int
    cells: Sequence[str]
    text: str
    is_broken: bool = False

    @property
    def filled(self) -> int:
        return sum(bool(cell.strip()) for cell in self.cells)


class _Lines(Iterator[str]):
    """Lines of which some can be read once more."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.position = 0

    def __next__(self) -> str:
        if self.position == len(self.lines):
            raise StopIteration
        self.position += 1
        return f"{self.lines[self.position - 1]}\n"

    def since(self, start: int) -> str:
        return "\n".join(self.lines[start : self.position])


def read_records(text: str, delimiter: str, *, first_number: int = 1) -> list[Record]:
    """Return the rows that are not empty. Raises Refused when they are too many.

    A row that cannot be divided is given up at the end of its first line, where the next one
    begins. Reading the same lines again and again would take quadratic time, so that raises too.
    """
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    records: list[Record] = []
    number, spent = first_number - 1, 0
    while lines.position < len(lines.lines):
        start, is_broken = lines.position, False
        number += 1
        if not lines.lines[start]:
            lines.position += 1
            continue
        try:
            cells = next(reader)
        except csv.Error as error:
            spent += len(lines.since(start))
            if spent > 2 * len(text):
                raise Refused(ListProblem.NOT_CSV, row=number) from error
            lines.position = start + 1
            cells, is_broken = [lines.since(start)], True
        if any(cell.strip() for cell in cells):
            records.append(Record(number, cells, lines.since(start), is_broken))
        if len(records) > MOST_ROWS + _OTHER_ROWS:
            raise Refused(ListProblem.TOO_MANY_ROWS)
    return records
