"""Files and documents that pages hand out: never run, never sniffed, never kept."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import Any, TypeVar

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

Answer = TypeVar("Answer", bound=HttpResponseBase)

# Tells spreadsheets that the text is UTF-8.
_MARK = "\ufeff"
# What a spreadsheet takes for the beginning of a formula, full-width forms included.
FORMULA_STARTS = tuple("=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20")


def csv_download(
    name: str, header: Sequence[Any], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    """Stream the rows as `name`.csv, as RFC 4180 and safe to open in a spreadsheet."""
    response = StreamingHttpResponse(
        _lines(header, rows), content_type="text/csv; charset=utf-8; header=present"
    )
    return attached(response, f"{name}.csv")


def attached(response: Answer, filename: str) -> Answer:
    """Let the browser save the answer under this name, which is ours and plain ASCII."""
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def shown(response: HttpResponse, filename: str) -> HttpResponse:
    """Let a page show the answer, and save it under this name."""
    response["Content-Disposition"] = f'inline; filename="{filename}"'
    return response


def mail_document(request: HttpRequest, html: str) -> HttpResponseBase:
    """Answer with the HTML of a mail as a document of its own that can neither run nor load."""

    @csp_replace({"style-src": [UNSAFE_INLINE], "sandbox": True})
    def document(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(html)

    return document(request)


def safe_cell(value: Any) -> str:
    """Return the cell's text; a quote before it keeps spreadsheets from running it."""
    text = "" if value is None else str(value)
    text = text.replace("\0", "")
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _lines(header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    yield _MARK + _line(header)
    for row in rows:
        yield _line(row)


def _line(row: Sequence[Any]) -> str:
    line = StringIO()
    csv.writer(line).writerow([safe_cell(cell) for cell in row])
    return line.getvalue()
