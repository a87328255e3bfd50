"""WSGI and ASGI handlers that can make a request object from any Content-Type."""

from typing import Any

from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters


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
    request_class = Utf8WSGIRequest


class SiteASGIHandler(ASGIHandler):
    request_class = Utf8ASGIRequest
