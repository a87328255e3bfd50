"""Long lists in pages: each page begins after a row, however far down that is.

Nothing is skipped and nothing is counted to the end, so page 10,000 costs what page 1 does.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import IntegerField, QuerySet, Subquery
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.utils.timezone import is_naive

Row = TypeVar("Row", bound=models.Model)
# Returns the rows joined with what is shown of them.
Load = Callable[[QuerySet[Row]], QuerySet[Row]]

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
    mark = place_of(sets[0].model, order, after or before)
    backwards = mark is not None and not after
    descending = order.descending is not backwards
    found = [row for rows in sets for row in _beyond(rows, mark, order.field, descending, size)]
    if len(sets) > 1:
        found.sort(key=lambda row: (getattr(row, order.field), row.pk), reverse=descending)
    return _page(found, order, size, backwards, mark is not None)


def united_page_of(
    sets: "Sequence[QuerySet[Row]]",
    *,
    load: "Load[Row]",
    order: Order,
    after: str = "",
    before: str = "",
    size: int = PAGE_SIZE,
) -> Page[Row]:
    """Return the page of a list of one model; each of its rows is in exactly one of the sets.

    `load` joins what is shown. One statement for one set; for several two, because joining all that
    they have before a page is cut from it takes most of the time: first the keys, then their rows.
    """
    if len(sets) == 1:
        return page_of(load(sets[0]), order=order, after=after, before=before, size=size)
    model = sets[0].model
    mark = place_of(model, order, after or before)
    backwards = mark is not None and not after
    descending = order.descending is not backwards
    first, *others = (
        _cut(rows, mark, order.field, descending).values_list("pk", order.field) for rows in sets
    )
    united = first.union(*others, all=True).order_by(*_sorting(order.field, descending))
    keys = [key for key, _value in united[: size + 1]]
    # A row may be deleted between the statements.
    loaded = load(model._default_manager.all()).in_bulk(keys)
    found = [loaded[key] for key in keys if key in loaded]
    return _page(found, order, size, backwards, mark is not None)


def page_finder(load: "Load[Any] | None") -> Callable[..., Page[Any]]:
    """Return how a page of some sets is found: united with `load`, else merged."""
    return merged_page_of if load is None else partial(united_page_of, load=load)


def _page(
    found: list[Any], order: Order, size: int, backwards: bool, begins_at_mark: bool
) -> Page[Any]:
    """Return the page of these rows, of which one more than fit on it was looked for."""
    has_more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
        return Page(found, _name(found, 0, order, has_more), _name(found, -1, order, bool(found)))
    return Page(found, _name(found, 0, order, begins_at_mark), _name(found, -1, order, has_more))


def _beyond(
    rows: "QuerySet[Any]", mark: tuple[Any, Any] | None, field: str, descending: bool, size: int
) -> list[Any]:
    """Return the first rows beyond the mark, one more than fit on a page."""
    cut = _cut(rows, mark, field, descending)
    return list(cut.order_by(*_sorting(field, descending))[: size + 1])


def _cut(
    rows: "QuerySet[Any]", mark: tuple[Any, Any] | None, field: str, descending: bool
) -> "QuerySet[Any]":
    """Return the rows beyond the mark, without an order."""
    if mark is None:
        return rows.order_by()
    beyond = TupleLessThan if descending else TupleGreaterThan
    return rows.order_by().filter(beyond(Tuple(field, "pk"), mark))


def _sorting(field: str, descending: bool) -> tuple[str, str]:
    sign = "-" if descending else ""
    return f"{sign}{field}", f"{sign}pk"


def pages_of(
    *sets: "QuerySet[Row]", order: Order, size: int, load: "Load[Row] | None" = None
) -> Iterator[list[Row]]:
    """Yield all rows, so many at a time: memory stays flat, and the first come at once.

    With `load` the sets are those of `united_page_of()`.
    """
    find_page = page_finder(load)
    after = ""
    while True:
        page = find_page(sets, order=order, after=after, size=size)
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
