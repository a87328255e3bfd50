"""Which requests are read at all: their text is UTF-8, and they bring no more than we asked for."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import BadRequest, TooManyFilesSent
from django.core.files.uploadhandler import FileUploadHandler, load_handler
from django.http import HttpRequest, HttpResponseBase

from web.errors import bad_request, content_too_large
from web.middleware import GetResponse

CHARSETS = ("utf-8", "utf8")
LARGEST_BODY = 2_000_000
LARGEST_ADMIN_BODY = 20_000_000
# What a form with a file may hold beside it.
_BESIDE_A_FILE = 1_000_000

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def takes_file(*, largest: int) -> Callable[[View], View]:
    """Let the view take files, and a body with room for one of `largest` bytes and a form.

    Stands above all other decorators of the view. What is larger is answered with 413, unread; the
    view itself looks whether its file is one byte too large.
    """

    def mark(view: View) -> View:
        view.largest_body = largest + _BESIDE_A_FILE  # type: ignore[attr-defined]
        return view

    return mark


class RefuseFiles(FileUploadHandler):
    """Refuses the first file: only the admin and views that say so take any."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Raise what Django answers with 400, before a byte of the file is read."""
        raise TooManyFilesSent("This page takes no files.")

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
        if announced_length(request) > LARGEST_ADMIN_BODY:
            return content_too_large(request)
        if not _in_admin(request):
            request.upload_handlers = [RefuseFiles(request)]
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], *_parts: object
    ) -> HttpResponseBase | None:
        """Hold the body against what this view takes, before anybody reads it."""
        if _in_admin(request):
            return None
        largest = getattr(view, "largest_body", None)
        if announced_length(request) > (largest or LARGEST_BODY):
            return content_too_large(request)
        if largest is not None:
            request.upload_handlers = [
                load_handler(name, request) for name in settings.FILE_UPLOAD_HANDLERS
            ]
        return None


def _in_admin(request: HttpRequest) -> bool:
    return request.path_info.startswith(f"/{settings.ADMIN_URL}")


def announced_length(request: HttpRequest) -> int:
    """Return how much the client wants to send; Django reads no more than that."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
