"""Files and documents for the browser to save or show; nothing in them is executed."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from io import StringIO
from itertools import chain
from typing import Any, TypeVar

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.utils.translation import get_language, override

from web.calendars import CalendarEntry
from web.moments import local_moment

Answer = TypeVar("Answer", bound=HttpResponseBase)

# With this mark spreadsheets read the text as UTF-8.
_BYTE_ORDER_MARK = "\ufeff"
# A cell that starts so is a formula for spreadsheets; the last four are full-width forms.
FORMULA_STARTS = tuple("=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20")


def csv_download(
    name: str, header: Sequence[Any], rows: Iterable[Sequence[Any]], *, separator: str = ","
) -> StreamingHttpResponse:
    """Stream the rows as `name`.csv: RFC 4180, UTF-8, and safe to open in a spreadsheet.

    Rows are read, and moments written as ISO 8601, in the language and the time zone that are
    active now: while the lines are sent, those of the request are so no longer.
    """
    content_type = "text/csv; charset=utf-8; header=present"
    cells = _in_place(chain([header], rows), get_language(), timezone.get_current_timezone())
    response = StreamingHttpResponse(_lines(cells, separator), content_type=content_type)
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
    if isinstance(value, datetime):
        value = local_moment(value).isoformat(timespec="seconds")
    text = "" if value is None else str(value).replace("\0", "")
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _in_place(
    rows: Iterator[Sequence[Any]], language: str | None, zone: tzinfo
) -> Iterator[list[str]]:
    """Yield the texts of each row, which is read in this language and time zone."""
    while True:
        with override(language), timezone.override(zone):
            row = next(rows, None)
            texts = [safe_cell(cell) for cell in row or ()]
        if row is None:
            return
        yield texts


def _lines(rows: Iterable[list[str]], separator: str) -> Iterator[str]:
    yield _BYTE_ORDER_MARK
    for row in rows:
        line = StringIO()
        # Quoted, because a program that expects another separator would split a cell at it.
        csv.writer(line, delimiter=separator, quoting=csv.QUOTE_ALL).writerow(row)
        yield line.getvalue()
