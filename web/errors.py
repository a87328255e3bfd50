"""The error pages 400, 413, 500 and 503; Django renders the templates 403, 403_csrf and 404."""

import sys

import redis.exceptions
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation

from web.refused import Busy

RETRY_AFTER_SECONDS = 10
UNAVAILABLE = (
    OperationalError,
    InterfaceError,
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
    Busy,
)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _bare(request, "400.html", 400)


def content_too_large(request: HttpRequest) -> HttpResponse:
    return _bare(request, "413.html", 413)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 when the database or the cache is away, else 500.

    Rendered without a request context: what failed may be what the context needs.
    """
    context: dict[str, object] = {"PROVIDER_NAME": settings.PROVIDER_NAME}
    if isinstance(sys.exc_info()[1], UNAVAILABLE):
        context["retry_after_seconds"] = RETRY_AFTER_SECONDS
        content = render_to_string("503.html", context)
        return HttpResponse(content, status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    return HttpResponse(render_to_string("500.html", context), status=500)


def _bare(request: HttpRequest, template: str, status: int) -> HttpResponse:
    chosen = getattr(request, "LANGUAGE_CODE", None)
    language = chosen or translation.get_language_from_request(request)
    with translation.override(language):
        content = render_to_string(template, {"PROVIDER_NAME": settings.PROVIDER_NAME})
    return HttpResponse(content, status=status, headers={"Content-Language": language})
