"""Answers that views share."""

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import render, resolve_url
from django.template.loader import render_to_string
from django.utils import translation
from django.views.decorators.http import require_http_methods

from web.limits import LimitReached
from web.refused import Busy

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

    A log-in leads back by GET to the address that required it, also where that was a form's.
    """

    def decorate(view: ViewFunction) -> ViewFunction:
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **parameters: Any) -> HttpResponseBase:
            if request.method == "POST":
                return view(request, *args, **parameters)
            return see_other(page, **{name: parameters[name] for name in kept})

        return answer

    return decorate


def wait_before_retry(
    request: HttpRequest, template: str, status: int, *, seconds: int, **context: Any
) -> HttpResponse:
    context["retry_after_seconds"] = seconds
    response = render(request, template, context, status=status)
    response["Retry-After"] = str(seconds)
    return response


def busy(request: HttpRequest) -> HttpResponse:
    chosen = getattr(request, "LANGUAGE_CODE", None)
    language = chosen or translation.get_language_from_request(request)
    headers = {"Retry-After": str(Busy.retry_after_seconds), "Content-Language": language}
    return HttpResponse(_busy_page(language), status=503, headers=headers)


@cache
def _busy_page(language: str) -> str:
    """Return the page, rendered once per language: in a flood it is sent many times."""
    name, seconds = settings.PROVIDER_NAME, Busy.retry_after_seconds
    with translation.override(language):
        return render_to_string("503.html", {"PROVIDER_NAME": name, "retry_after_seconds": seconds})


def limited(view: ViewFunction) -> ViewFunction:
    """Answer 429 when the view raises LimitReached, 503 when it raises Busy; with Retry-After."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **options)
        except LimitReached as reached:
            return wait_before_retry(request, "429.html", 429, seconds=reached.seconds)
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
