"""The answers that pages have in common."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    QueryDict,
)
from django.shortcuts import render, resolve_url

from web.limits import LimitReached

ViewFunction = Callable[..., HttpResponseBase]


class SeeOther(HttpResponseRedirect):
    """After a good POST: the page that shows what came of it."""

    status_code = 303


def posted(request: HttpRequest) -> QueryDict | None:
    """Return what a form is bound to: what was posted, be it nothing at all; None on a GET."""
    return request.POST if request.method == "POST" else None


def see_other(to: Any, *args: Any, **options: Any) -> SeeOther:
    """Answer a good POST; `to` is a view's name with its arguments, or an address."""
    return SeeOther(resolve_url(to, *args, **options))


def too_many_requests(request: HttpRequest, *, seconds: int) -> HttpResponse:
    """Say how long to wait before trying again."""
    response = render(request, "429.html", {"retry_after_seconds": seconds}, status=429)
    response["Retry-After"] = str(seconds)
    return response


def limited(view: ViewFunction) -> ViewFunction:
    """Answer 429 with Retry-After when the view raises LimitReached."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **options)
        except LimitReached as reached:
            return too_many_requests(request, seconds=reached.seconds)

    return answer


def mounted(view: ViewFunction) -> ViewFunction:
    """Make a page of allauth keep this project's rules.

    Looking changes nothing, also where allauth tidies up its session while it shows a page; after
    a good POST comes 303, and a limit is a 429 that says how long to wait.
    """
    inner = limited(view)

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
        response = inner(request, *args, **options)
        # Nothing is stored anyway, and a second's tick would tell two answers apart.
        response.headers.pop("Expires", None)
        if request.method != "POST":
            request.session.modified = False
        elif response.status_code == 302:
            response.status_code = 303
        return response

    return answer
