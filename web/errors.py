"""The error pages that Django does not render itself: 400, 403 (CSRF), 405, 411, 413, 415, 50x."""

import sys
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import translation
from redis.exceptions import RedisError

from web.answers import language_of, unavailable
from web.origin import current_origin
from web.refused import Busy
from web.typed import typed_form

RETRY_AFTER_SECONDS = 10
UNAVAILABLE = (
    OperationalError,
    InterfaceError,
    # Also those that Redis answers with: a replica, no memory, no permission, still loading.
    RedisError,
    Busy,
)

# What a database answers that has become a standby; Django calls it an InternalError.
READ_ONLY = "25006"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return content_too_large(request)
    return _bare(request, "400.html", 400)


def method_not_allowed(request: HttpRequest, response: HttpResponseBase) -> HttpResponse:
    """Replace an empty answer 405 by the page about it; the header Allow stays."""
    page = _bare(request, "405.html", 405)
    page["Allow"] = response.headers["Allow"]
    return page


def content_too_large(request: HttpRequest) -> HttpResponse:
    return _bare(request, "413.html", 413)


def length_required(request: HttpRequest) -> HttpResponse:
    return _bare(request, "400.html", 411)


def coding_refused(request: HttpRequest) -> HttpResponse:
    return _bare(request, "400.html", 415)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Give back what was typed, with a button to send it again, if the form came from our page.

    Another site's form is shown nothing of what it sent: the button would act for it.
    """
    context = typed_form(request) if _is_from_our_page(request) else {}
    return render(request, "403_csrf.html", context, status=403)


def _is_from_our_page(request: HttpRequest) -> bool:
    ours = {f"{request.scheme}://{request.get_host()}", *settings.CSRF_TRUSTED_ORIGINS}
    if "Origin" in request.headers:
        return request.headers["Origin"] in ours
    # Programs and old browsers; over https Django requires one of the two.
    referer = urlsplit(request.headers.get("Referer", ""))
    return f"{referer.scheme}://{referer.netloc}" in ours or not (
        referer.netloc or request.is_secure()
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 when the database or the cache is away, else 500."""
    request_id = current_origin().request_id
    if _is_unavailable(sys.exc_info()[1]):
        return unavailable(request, seconds=RETRY_AFTER_SECONDS, request_id=request_id)
    return _bare(request, "500.html", 500, request_id=request_id)


def _is_unavailable(error: BaseException | None) -> bool:
    if isinstance(error, UNAVAILABLE):
        return True
    return getattr(getattr(error, "__cause__", None), "sqlstate", None) == READ_ONLY


def _bare(request: HttpRequest, template: str, status: int, **context: str) -> HttpResponse:
    """Render without a request context, as `unavailable()` does."""
    language = language_of(request)
    with translation.override(language):
        content = render_to_string(template, {"PROVIDER_NAME": settings.PROVIDER_NAME, **context})
    return HttpResponse(content, status=status, headers={"Content-Language": language})
