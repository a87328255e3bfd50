"""Long lists in pages: each page begins after a row, however far down that is.

Nothing is skipped and nothing is counted to the end, so page 10,000 costs what page 1 does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import IntegerField, QuerySet, Subquery
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.utils.timezone import is_naive

Row = TypeVar("Row", bound=models.Model)

PAGE_SIZE = 25
# Lists say "more than" beyond this.
COUNTED = 1_000
_BETWEEN = "~"


@dataclass(frozen=True, slots=True)
class Order:
    """By which field a list is ordered, then by the primary key in the same direction.

    The field is the model's own and never empty in these rows; an index has both.
    """

    field: str
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows in the list's order, and the texts that lead to the pages around them, or ""."""

    rows: list[Row]
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows there are; `is_more`: at least one more than that."""

    number: int
    is_more: bool


def page_of(
    rows: "QuerySet[Row]", *, order: Order, after: str = "", before: str = "", size: int = PAGE_SIZE
) -> Page[Row]:
    """Return the page after, or before, the row that a text of an earlier page names.

    One statement. Texts that name no row begin at the top: addresses are shared and mistyped.
    """
    return merged_page_of([rows], order=order, after=after, before=before, size=size)


def merged_page_of(
    sets: "Sequence[QuerySet[Any]]",
    *,
    order: Order,
    after: str = "",
    before: str = "",
    size: int = PAGE_SIZE,
) -> Page[Any]:
    """Return the page of one list with rows of several models, which all have the order's field.

    One statement for each model. Their keys are random, so no two rows have the same place.
    """
    backwards = bool(before) and not after
    mark = place_of(sets[0].model, order, after or before)
    descending = order.descending is not backwards
    found = [row for rows in sets for row in _beyond(rows, mark, order.field, descending, size)]
    if len(sets) > 1:
        found.sort(key=lambda row: (getattr(row, order.field), row.pk), reverse=descending)
    has_more, found = len(found) > size, found[:size]
    if backwards and mark is not None:
        found.reverse()
        return Page(found, _name(found, 0, order, has_more), _name(found, -1, order, bool(found)))
    return Page(found, _name(found, 0, order, mark is not None), _name(found, -1, order, has_more))


def _beyond(
    rows: "QuerySet[Any]", mark: tuple[Any, Any] | None, field: str, descending: bool, size: int
) -> list[Any]:
    """Return the first rows beyond the mark, one more than fit on a page."""
    if mark is not None:
        beyond = TupleLessThan if descending else TupleGreaterThan
        rows = rows.filter(beyond(Tuple(field, "pk"), mark))
    sign = "-" if descending else ""
    return list(rows.order_by(f"{sign}{field}", f"{sign}pk")[: size + 1])


def pages_of(rows: "QuerySet[Row]", *, order: Order, size: int) -> Iterator[list[Row]]:
    """Yield all rows, so many at a time: memory stays flat, and the first come at once."""
    after = ""
    while True:
        page = page_of(rows, order=order, after=after, size=size)
        yield page.rows
        after = page.after
        if not after:
            return


class CountOf(Subquery):
    """How many rows a sliced query has; what lies beyond the slice is never read."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


def counted(found: int, limit: int = COUNTED) -> Count:
    """Return what was counted of `limit + 1` rows at most."""
    return Count(min(found, limit), found > limit)


def count_up_to(rows: "QuerySet[Any]", limit: int = COUNTED) -> Count:
    """Count the rows, but no further than `limit`; one statement."""
    return count_together([rows], limit)


def count_together(sets: "Sequence[QuerySet[Any]]", limit: int = COUNTED) -> Count:
    """Count the rows of all sets as `count_up_to()` does; one statement for each set."""
    found = (rows.order_by().values("pk")[: limit + 1].count() for rows in sets)
    return counted(sum(found), limit)


def _name(rows: list[Any], place: int, order: Order, wanted: bool) -> str:
    if not (rows and wanted):
        return ""
    value = getattr(rows[place], order.field)
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return f"{text}{_BETWEEN}{rows[place].pk}"


def place_of(model: type[models.Model], order: Order, text: str) -> tuple[Any, Any] | None:
    """Return the place that such a text names, None for any other text."""
    value, between, key = text.rpartition(_BETWEEN)
    if not between:
        return None
    field: Any = model._meta.get_field(order.field)
    try:
        place = field.clean(value, None)
        if isinstance(place, datetime):
            if is_naive(place):
                return None
            # A moment beyond the calendar in our zone names no row.
            place = place.astimezone(UTC)
        return place, model._meta.pk.clean(key, None)
    except (ValidationError, ValueError, OverflowError):
        return None
