"""Requests as WSGI and ASGI servers hand them in, made so that making one cannot fail."""

from typing import Any

from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters

UNREADABLE = "unreadable"


class Utf8Mixin:
    """Leaves the charset that a request names to the middleware, which refuses all but UTF-8.

    Django reads the query with it while the request is made: what fails there is answered by the
    server, not by us, and carries none of our headers.
    """

    content_type: str | None
    content_params: dict[str, str] | None

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            read = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except (ValueError, LookupError):
            read = "", {"charset": UNREADABLE}
        self.content_type, self.content_params = read


class Utf8WSGIRequest(Utf8Mixin, WSGIRequest):
    """A request that came through WSGI."""


class Utf8ASGIRequest(Utf8Mixin, ASGIRequest):
    """A request that came through ASGI."""


class SiteWSGIHandler(WSGIHandler):
    """Django's entrance for WSGI, with our requests."""

    request_class = Utf8WSGIRequest


class SiteASGIHandler(ASGIHandler):
    """Django's entrance for ASGI, with our requests."""

    request_class = Utf8ASGIRequest
