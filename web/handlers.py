"""WSGI and ASGI handlers that can make a request object from any Content-Type."""

import logging
from typing import Any

from django.conf import settings
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters
from django.utils.module_loading import import_string

from web.answers import BusyAnswer
from web.logs import log_event
from web.sampling import facts_of_sample

_log = logging.getLogger("requests")

# The status, the headers and the body of an answer.
_Copy = tuple[str, list[tuple[str, str]], bytes]
# By what browsers say of languages, which anybody can make up.
MOST_COPIES = 100


class Utf8Request:
    """Keeps Django from decoding the query with the charset that the request names.

    Django decodes it while it makes the request object. An error there would be answered by the
    server, without our page and headers. BodyLimitsMiddleware rejects other charsets later.
    """

    content_type: str | None
    content_params: dict[str, str] | None

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            parsed = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except (ValueError, LookupError):
            parsed = "", {"charset": "unreadable"}
        self.content_type, self.content_params = parsed


class Utf8WSGIRequest(Utf8Request, WSGIRequest):
    pass


class Utf8ASGIRequest(Utf8Request, ASGIRequest):
    pass


class SiteWSGIHandler(WSGIHandler):
    """Repeats an answer that refuses, when a flood would be refused, without making a request.

    The first refusals of each minute go through CapacityMiddleware, with their lines in the log.
    The others get a copy of such an answer: only the check and the metrics run for them.
    """

    request_class = Utf8WSGIRequest

    def __init__(self) -> None:
        super().__init__()
        checks = settings.CAPACITY_CHECKS
        self._is_full = {path: import_string(name) for path, name in checks.items()}
        self._copies: dict[str, _Copy] = {}
        self._count = import_string("web.metrics.count_request") if settings.METRICS_PORT else None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if not self._would_be_refused(environ):
            return super().__call__(environ, start_response)
        reads = environ.get("HTTP_ACCEPT_LANGUAGE", "")
        copy = self._copies.get(reads)
        if copy is None or self._is_in_log(environ["PATH_INFO"]):
            response = super().__call__(environ, start_response)
            if isinstance(response, BusyAnswer) and len(self._copies) < MOST_COPIES:
                status = f"{response.status_code} {response.reason_phrase}"
                self._copies[reads] = status, list(response.items()), response.content
            return response
        if self._count is not None:
            self._count("unknown", BusyAnswer.status_code, 0.0)
        status, headers, content = copy
        start_response(status, headers)
        return [content]

    def _is_in_log(self, path: str) -> bool:
        sample = facts_of_sample("refusal", path)
        if sample:
            log_event(_log, "refusals", path=path, status=BusyAnswer.status_code, **sample)
        return sample is not None

    def _would_be_refused(self, environ: dict[str, Any]) -> bool:
        if environ["REQUEST_METHOD"] != "POST":
            return False
        is_full = self._is_full.get(environ.get("PATH_INFO", ""))
        # The copies are in the language that the browser asks for.
        has_chosen = settings.LANGUAGE_COOKIE_NAME in environ.get("HTTP_COOKIE", "")
        return is_full is not None and not has_chosen and bool(is_full())


class SiteASGIHandler(ASGIHandler):
    request_class = Utf8ASGIRequest
