"""The links to years, months and days above a list of the admin."""

from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, date, datetime, time, timedelta
from itertools import takewhile
from typing import Any

from django import template
from django.contrib.admin.utils import get_fields_from_path
from django.db.models import DateTimeField, Exists, Max, Min
from django.utils import formats, timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

# What expires may expire in the year 9999.
MOST_YEARS = 50

register = template.Library()

Link = Callable[[Mapping[str, Any]], str]


@register.inclusion_tag("admin/date_hierarchy.html")
def days_of(changelist: Any) -> dict[str, Any]:
    """Lead from the years to months and days, as Django's tag `date_hierarchy`.

    The chosen year, month and day are in the calendar: Django's list rejects others.

    Django's own tag reads every row of the list to offer only years that have one: 0.4 s of a
    million. Here the index on the moment says of each year, month or day whether the table has a
    row of it. What else the list is filtered by does not count.
    """
    name = changelist.date_hierarchy
    first, last = _ends(changelist.model, name)
    if first is None or last is None:
        return {"show": False}
    parts = (changelist.params.get(f"{name}__{part}") for part in ("year", "month", "day"))
    shown = [int(part) for part in takewhile(bool, parts)]
    chosen = bool(shown)
    if not chosen and first.year == last.year:
        shown = [first.year, first.month] if first.month == last.month else [first.year]

    def link(values: Mapping[str, Any]) -> str:
        named = {f"{name}__{part}": value for part, value in values.items()}
        url: str = changelist.get_query_string(named, [f"{name}__"])
        return url

    choices = _with_rows(changelist.model, name, [*_choices(shown, first, last, link)])
    return {"show": True, "back": _back(shown, link) if chosen else None, "choices": choices}


@dataclass(frozen=True, slots=True)
class Choice:
    """A year, month or day: its first day, and the first one after it where there is one."""

    title: str
    begin: date
    end: date | None
    link: str = ""


def _with_rows(model: Any, path: str, choices: list[Choice]) -> list[Choice]:
    """Leave out the links to what the table has no row of; one statement."""
    if not choices:
        return []
    field = get_fields_from_path(model, path)[-1]
    rows = field.model._default_manager.order_by()
    is_moment = isinstance(field, DateTimeField)
    columns = []
    for choice in choices:
        bounds = {"gte": choice.begin, "lt": choice.end}
        within = {
            f"{field.name}__{lookup}": _midnight(day) if is_moment else day
            for lookup, day in bounds.items()
            if day is not None
        }
        columns.append(Exists(rows.filter(**within)))
    # Any row will do: the columns are about the table.
    found = rows.values_list(*columns).first() or ()
    pairs = zip(choices, found, strict=True)
    return [choice for choice, has_row in pairs if has_row or not choice.link]


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _ends(model: Any, path: str) -> tuple[date | None, date | None]:
    """Return the first and the last day of the field, in the reader's time zone."""
    field = get_fields_from_path(model, path)[-1]
    ends = field.model._default_manager.aggregate(first=Min(field.name), last=Max(field.name))
    days = [
        timezone.localtime(end).date() if isinstance(end, datetime) else end
        for end in ends.values()
    ]
    return days[0], days[1]


def _choices(shown: list[int], first: date, last: date, link: Link) -> Iterator[Choice]:
    """Yield the years, the months of the shown year, or the days of the shown month."""
    if not shown:
        for year in range(first.year, min(last.year, first.year + MOST_YEARS) + 1):
            end = date(year + 1, 1, 1) if year < MAXYEAR else None
            yield Choice(str(year), date(year, 1, 1), end, link({"year": year}))
        return
    year, *rest = shown
    if not rest:
        for month in range(1, 13):
            if (first.year, first.month) <= (year, month) <= (last.year, last.month):
                values = {"year": year, "month": month}
                days = _days(year, month)
                yield Choice(_month(year, month), days[0], _next(days[-1]), link(values))
        return
    for day in _days(year, rest[0]):
        values = {"year": year, "month": day.month, "day": day.day}
        if len(rest) == 1 and first <= day <= last:
            yield Choice(_day(day), day, _next(day), link(values))
        elif rest[1:] == [day.day]:
            yield Choice(_day(day), day, _next(day))


def _next(day: date) -> date | None:
    return day + timedelta(days=1) if day < date.max else None


def _days(year: int, month: int) -> list[date]:
    return [date(year, month, number + 1) for number in range(monthrange(year, month)[1])]


def _back(shown: list[int], link: Link) -> dict[str, str]:
    year, *rest = shown
    if not rest:
        return {"link": link({}), "title": _("All dates")}
    if len(rest) == 1:
        return {"link": link({"year": year}), "title": str(year)}
    return {"link": link({"year": year, "month": rest[0]}), "title": _month(year, rest[0])}


def _month(year: int, month: int) -> str:
    return capfirst(formats.date_format(date(year, month, 1), "YEAR_MONTH_FORMAT"))


def _day(day: date) -> str:
    return capfirst(formats.date_format(day, "MONTH_DAY_FORMAT"))
