"""The answers that pages have in common."""

from typing import Any

from django.http import HttpRequest, HttpResponseRedirect, QueryDict
from django.shortcuts import resolve_url


class SeeOther(HttpResponseRedirect):
    """After a good POST: the page that shows what came of it."""

    status_code = 303


def posted(request: HttpRequest) -> QueryDict | None:
    """Return what a form is bound to: what was posted, be it nothing at all; None on a GET."""
    return request.POST if request.method == "POST" else None


def see_other(to: Any, *args: Any, **options: Any) -> SeeOther:
    """Answer a good POST; `to` is a view's name with its arguments, or an address."""
    return SeeOther(resolve_url(to, *args, **options))
