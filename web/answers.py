"""Answers that views share."""

from collections.abc import Callable
from datetime import datetime
from functools import cache, wraps
from math import ceil
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import render, resolve_url
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.views.decorators.http import require_http_methods

from web.limits import LimitReached
from web.refused import Busy
from web.typed import typed_form

ViewFunction = Callable[..., HttpResponseBase]


class SeeOther(HttpResponseRedirect):
    status_code = 303


def posted(request: HttpRequest) -> QueryDict | None:
    """Return the data to bind a form to: the POST data, even when empty; None on other methods."""
    return request.POST if request.method == "POST" else None


def see_other(to: Any, *args: Any, **options: Any) -> SeeOther:
    """Redirect (303) after a good POST; `to` is a view's name with its arguments, or a URL."""
    return SeeOther(resolve_url(to, *args, **options))


def posts_only(page: str, *kept: str) -> Callable[[ViewFunction], ViewFunction]:
    """Lead a GET to the page that has the form; `kept` are the parameters in its address.

    The query is kept too: it says which page of a list had the form.
    A log-in leads back by GET to the address that required it, also where that was a form's.
    """

    def decorate(view: ViewFunction) -> ViewFunction:
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **parameters: Any) -> HttpResponseBase:
            if request.method == "POST":
                return view(request, *args, **parameters)
            url = resolve_url(page, **{name: parameters[name] for name in kept})
            query = request.META.get("QUERY_STRING", "")
            return see_other(f"{url}?{query}" if query else url)

        return answer

    return decorate


def as_refusal(response: HttpResponse, again_at: datetime | None) -> HttpResponse:
    """Make the page that shows a refusal a 409; with `again_at` a 429 with Retry-After."""
    response.status_code = 409 if again_at is None else 429
    if again_at is not None:
        seconds = (again_at - timezone.now()).total_seconds()
        response["Retry-After"] = str(max(1, ceil(seconds)))
    return response


def wait_before_retry(
    request: HttpRequest, template: str, status: int, *, seconds: int, **context: Any
) -> HttpResponse:
    context["retry_after_seconds"] = seconds
    response = render(request, template, context, status=status)
    response["Retry-After"] = str(seconds)
    return response


def busy(request: HttpRequest) -> HttpResponse:
    return unavailable(request, seconds=Busy.retry_after_seconds)


def unavailable(request: HttpRequest, *, seconds: int, request_id: str = "") -> HttpResponse:
    """Answer 503, rendered without a request context: what failed may be what that needs."""
    language = language_of(request)
    # Without an id it is the same page for all, and in a flood it is sent many times.
    render_page = _unavailable_page if request_id else _remembered_unavailable_page
    headers = {"Retry-After": str(seconds), "Content-Language": language}
    return HttpResponse(render_page(language, seconds, request_id), status=503, headers=headers)


def language_of(request: HttpRequest) -> str:
    """Return the language of the request, also where no middleware has chosen one yet."""
    chosen: str | None = getattr(request, "LANGUAGE_CODE", None)
    return chosen or translation.get_language_from_request(request)


def _unavailable_page(language: str, seconds: int, request_id: str) -> str:
    context = {
        "PROVIDER_NAME": settings.PROVIDER_NAME,
        "retry_after_seconds": seconds,
        "request_id": request_id,
    }
    with translation.override(language):
        return render_to_string("503.html", context)


_remembered_unavailable_page = cache(_unavailable_page)


def limited(view: ViewFunction) -> ViewFunction:
    """Answer 429 when the view raises LimitReached, 503 when it raises Busy; with Retry-After.

    The 429 shows what was typed, to be sent again.
    """

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **options)
        except LimitReached as reached:
            typed = typed_form(request) if request.method == "POST" else {}
            return wait_before_retry(request, "429.html", 429, seconds=reached.seconds, **typed)
        except Busy:
            return busy(request)

    return answer


def adapt_allauth_view(view: ViewFunction) -> ViewFunction:
    """Make a view of allauth keep this project's rules.

    GET writes nothing, also where allauth tidies up its session; the redirect after a good POST is
    a 303; a reached limit is a 429 with Retry-After.
    """
    inner = limited(view)

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
        response = inner(request, *args, **options)
        # Answers are never cached, and the seconds in this header would make two answers differ.
        response.headers.pop("Expires", None)
        if request.method != "POST":
            request.session.modified = False
        elif response.status_code == 302:
            response.status_code = 303
        return response

    return answer
