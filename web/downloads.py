"""Files and documents for the browser to save or show; nothing in them is executed."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from itertools import chain
from typing import Any, TypeVar

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

from web.calendars import CalendarEntry

Answer = TypeVar("Answer", bound=HttpResponseBase)

# With this mark spreadsheets read the text as UTF-8.
_BYTE_ORDER_MARK = "\ufeff"
# A cell that starts so is a formula for spreadsheets; the last four are full-width forms.
FORMULA_STARTS = tuple("=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20")


def csv_download(
    name: str, header: Sequence[Any], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    """Stream the rows as `name`.csv: RFC 4180, UTF-8, and safe to open in a spreadsheet."""
    content_type = "text/csv; charset=utf-8; header=present"
    response = StreamingHttpResponse(_lines(header, rows), content_type=content_type)
    return as_attachment(response, f"{name}.csv")


def calendar_download(name: str, entry: CalendarEntry) -> HttpResponse:
    """Answer with the entry as `name`.ics, which calendar programs open."""
    content_type = "text/calendar; charset=utf-8; method=PUBLISH"
    return as_attachment(HttpResponse(entry.as_ics(), content_type=content_type), f"{name}.ics")


def as_attachment(response: Answer, filename: str) -> Answer:
    """Let the browser save the answer under this name, which must be our own plain ASCII."""
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def as_inline(response: HttpResponse, filename: str) -> HttpResponse:
    response["Content-Disposition"] = f'inline; filename="{filename}"'
    return response


def as_static(request: HttpRequest, response: HttpResponse, *, etag: str) -> HttpResponseBase:
    """Let every cache keep the answer for a year, and other sites show it, webmail for example.

    Only for public data whose address changes with its contents. HeadersMiddleware removes cookies.
    """
    response["ETag"] = quote_etag(etag)
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    answer = get_conditional_response(request, etag=response["ETag"], response=response) or response
    answer.is_static = True  # type: ignore[attr-defined]
    return answer


def show_email_html(request: HttpRequest, html: str) -> HttpResponseBase:
    """Answer with the HTML of an e-mail as a document that can neither run nor load anything."""

    @csp_replace({"style-src": [UNSAFE_INLINE], "sandbox": True})
    def document(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(html)

    return document(request)


def safe_cell(value: Any) -> str:
    """Return the cell's text, quoted where a spreadsheet would run it as a formula."""
    text = "" if value is None else str(value).replace("\0", "")
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _lines(header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    yield _BYTE_ORDER_MARK
    for row in chain([header], rows):
        line = StringIO()
        csv.writer(line).writerow([safe_cell(cell) for cell in row])
        yield line.getvalue()
