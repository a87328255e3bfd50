"""The lists of the console: what was searched for, one page of rows, and how many there are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from partners.services.pages import Count, Order, Page, count_up_to, page_of
from partners.services.parts import is_short

# Parameters that choose the page of the list.
_PLACES = ("after", "before", "lang")


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list's page shows; `query` is what was asked for, for links that keep it.

    `finds_beginnings`: what was typed is so short that only words are found that begin with it.
    """

    form: forms.Form
    page: Page[Any]
    count: Count
    query: str
    is_filtered: bool
    finds_beginnings: bool


def listing(
    request: HttpRequest, form: forms.Form, rows: "QuerySet[Any]", *, order: Order
) -> Listing:
    """Return the page that the address asks for; two statements. `rows` are filtered already."""
    page = page_of(
        rows, order=order, after=request.GET.get("after", ""), before=request.GET.get("before", "")
    )
    return Listing(
        form=form,
        page=page,
        count=count_up_to(rows),
        query=asked_for(request.GET).urlencode(),
        is_filtered=any(
            value != form.fields[name].initial for name, value in filters_of(form).items()
        ),
        finds_beginnings=getattr(form, "searches_parts", False) and is_short_search(form),
    )


def is_short_search(form: forms.Form) -> bool:
    """Return whether what was typed into a search finds only words that begin with it."""
    typed = filters_of(form).get("q")
    return typed is not None and is_short(typed)


def asked_for(query: QueryDict) -> QueryDict:
    """Return what the address asks for, without the place in the list."""
    asked = query.copy()
    for name in _PLACES:
        asked.pop(name, None)
    return asked


def filters_of(form: forms.Form) -> Mapping[str, Any]:
    """Return the valid filters of a list's form by name; invalid and empty ones are ignored."""
    form.is_valid()
    return {name: value for name, value in form.cleaned_data.items() if value not in (None, "")}
