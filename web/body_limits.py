"""Requests whose charset, body or files we do not accept are rejected before they are read."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import BadRequest, TooManyFilesSent
from django.core.files.uploadhandler import FileUploadHandler, load_handler
from django.http import HttpRequest, HttpResponseBase

from web.errors import bad_request, coding_refused, content_too_large, length_required
from web.middleware import GetResponse

CHARSETS = ("utf-8", "utf8")
LARGEST_BODY = 2_000_000
LARGEST_ADMIN_BODY = 20_000_000
# The form fields beside a file.
_OTHER_FIELDS = 1_000_000

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def accept_file(*, largest: int) -> Callable[[View], View]:
    """Let the view accept files, and a body with one file of `largest` bytes and form fields.

    Must be the outermost decorator of the view, which must still check the size of the file: the
    limit includes the form fields.
    """

    def mark(view: View) -> View:
        view.largest_body = largest + _OTHER_FIELDS  # type: ignore[attr-defined]
        return view

    return mark


class RejectFiles(FileUploadHandler):
    """Rejects the first file: only the admin and views that accept files may get any."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise TooManyFilesSent("This page takes no files.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        pass


class BodyLimitsMiddleware:
    """Rejects other charsets than UTF-8 (400), large bodies (413) and unwanted files (400).

    And bodies that Django would pass to a view empty or compressed: of no announced length (411),
    or coded (415).
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        charset = (request.content_params or {}).get("charset")
        if charset is not None and charset.lower() not in CHARSETS:
            return bad_request(request, BadRequest("Only UTF-8 is read."))
        if "HTTP_TRANSFER_ENCODING" in request.META:
            return length_required(request)
        if request.META.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
            return coding_refused(request)
        length = announced_length(request)
        if length > LARGEST_ADMIN_BODY:
            return content_too_large(request)
        if length and not _in_admin(request):
            request.upload_handlers = [RejectFiles(request)]
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], *_args: object
    ) -> HttpResponseBase | None:
        if not announced_length(request) or _in_admin(request):
            return None
        largest = getattr(view, "largest_body", None)
        if announced_length(request) > (largest or LARGEST_BODY):
            return content_too_large(request)
        if largest is not None:
            # Undoes the rejection of files above; the body is still unread.
            handlers = settings.FILE_UPLOAD_HANDLERS
            request.upload_handlers = [load_handler(name, request) for name in handlers]
        return None


def _in_admin(request: HttpRequest) -> bool:
    return request.path_info.startswith(f"/{settings.ADMIN_URL}")


def announced_length(request: HttpRequest) -> int:
    """Return the length that the client announced; Django reads no more bytes than that."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
