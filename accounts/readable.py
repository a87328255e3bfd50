"""Which requests are read at all: their text is UTF-8, and they bring no more than we asked for."""

from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, TooManyFilesSent
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponseBase

from accounts.middleware import GetResponse
from accounts.views.errors import bad_request, content_too_large

CHARSETS = ("utf-8", "utf8")
LARGEST_BODY = 2_000_000
LARGEST_ADMIN_BODY = 20_000_000


class RefuseFiles(FileUploadHandler):
    """Refuses the first file: only the admin takes any."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Raise what Django answers with 400, before a byte of the file is read."""
        raise TooManyFilesSent("No page but the admin takes files.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """Pass on what never arrives."""
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Make no file."""


class ReadableMiddleware:
    """Refuses, before anything is read, other charsets (400), big bodies (413) and files (400)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request, unless it is not one of those we read."""
        charset = (request.content_params or {}).get("charset")
        if charset is not None and charset.lower() not in CHARSETS:
            return bad_request(request, BadRequest("Only UTF-8 is read."))
        in_admin = request.path_info.startswith(f"/{settings.ADMIN_URL}")
        if announced_length(request) > (LARGEST_ADMIN_BODY if in_admin else LARGEST_BODY):
            return content_too_large(request)
        if not in_admin:
            request.upload_handlers = [RefuseFiles(request)]
        return self.get_response(request)


def announced_length(request: HttpRequest) -> int:
    """Return how much the client wants to send; Django reads no more than that."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
