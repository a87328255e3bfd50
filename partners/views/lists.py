"""The lists of the console: what was searched for, one page of rows, and how many there are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from partners.enums import BulkRefusal
from partners.services.pages import (
    PAGE_SIZE,
    Count,
    Load,
    Order,
    Page,
    count_together,
    page_finder,
)
from partners.services.parts import is_short
from web.refused import Refused

# The longer page, for those who tick rows: `size=100`.
LONG_PAGE = 100
# Parameters that choose the page of the list.
_PLACES = ("after", "before", "lang")


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list's page shows; `query` is what was asked for, for links that keep it.

    `address` has the place in the list too, for a form that comes back to this page.
    `other_size` is how many rows a page could have instead, and `other_size_query` asks for that.
    `finds_beginnings`: what was typed is so short that only words are found that begin with it.
    """

    form: forms.Form
    page: Page[Any]
    count: Count
    query: str
    address: str
    is_filtered: bool
    other_size: int
    other_size_query: str
    finds_beginnings: bool


def listing(
    request: HttpRequest,
    form: forms.Form,
    *sets: "QuerySet[Any]",
    order: Order,
    load: "Load[Any] | None" = None,
) -> Listing:
    """Return the page that the address asks for; two statements for each set of rows.

    The rows are filtered already. With `load` the sets are those of `united_page_of()`.
    """
    query = asked_for(request.GET)
    size, other_size = _sizes(query)
    places = {name: request.GET.get(name, "") for name in ("after", "before")}
    other = query.copy()
    other["size"] = str(other_size)
    return Listing(
        form=form,
        page=page_finder(load)(sets, order=order, size=size, **places),
        count=count_together(sets),
        query=query.urlencode(),
        address=_without(request.GET, "lang").urlencode(),
        is_filtered=is_filtered(form),
        other_size=other_size,
        other_size_query=other.urlencode(),
        finds_beginnings=getattr(form, "searches_parts", False) and is_short_search(form),
    )


def is_filtered(form: forms.Form) -> bool:
    return any(value != form.fields[name].initial for name, value in filters_of(form).items())


def is_short_search(form: forms.Form) -> bool:
    """Return whether what was typed into a search finds only words that begin with it."""
    typed = filters_of(form).get("q")
    return typed is not None and is_short(typed)


def _sizes(query: QueryDict) -> tuple[int, int]:
    """Return how many rows the page has, and how many it could have instead."""
    is_long = query.get("size") == str(LONG_PAGE)
    return (LONG_PAGE, PAGE_SIZE) if is_long else (PAGE_SIZE, LONG_PAGE)


def asked_for(query: QueryDict) -> QueryDict:
    """Return what the address asks for, without the place in the list."""
    return _without(query, *_PLACES)


def _without(query: QueryDict, *names: str) -> QueryDict:
    rest = query.copy()
    for name in names:
        rest.pop(name, None)
    return rest


def filters_of(form: forms.Form) -> Mapping[str, Any]:
    """Return the valid filters of a list's form by name; invalid and empty ones are ignored."""
    form.is_valid()
    return {name: value for name, value in form.cleaned_data.items() if value not in (None, "")}


def all_filters_of(form: forms.Form) -> Mapping[str, Any]:
    """Return the filters of a list's form, for an action on all rows that match them.

    Raises Refused: FILTER_CHANGED if `filters_of()` would ignore one, and more rows would match.
    """
    known = {*form.fields, *_PLACES, "size"}
    if not form.is_valid() or any(form.data[name] for name in form.data if name not in known):
        raise Refused(BulkRefusal.FILTER_CHANGED)
    return filters_of(form)
