"""The answers that pages have in common."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from accounts.limits import LimitReached
from web.answers import posted, see_other

__all__ = ["limited", "mounted", "posted", "see_other", "too_many_requests"]

ViewFunction = Callable[..., HttpResponseBase]


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
