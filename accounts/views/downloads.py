"""Files that pages hand out: named by us, never run, never sniffed, never kept."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse

# What spreadsheets take for the beginning of a formula, full-width twins included.
_FORMULA = tuple("=+-@\t\r\n\0＝＋－＠")
# Tells spreadsheets that the text is UTF-8.
_MARK = "\ufeff"


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        """Return the line."""
        return text


def csv_download(
    name: str, header: Sequence[Any], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    """Stream the rows as `name`.csv, as RFC 4180 and safe to open in a spreadsheet."""
    response = StreamingHttpResponse(
        _lines(header, rows), content_type="text/csv; charset=utf-8; header=present"
    )
    return attached(response, f"{name}.csv")


def attached(response: Any, filename: str) -> Any:
    """Let the browser save the answer under this name, which is ours and plain ASCII."""
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def shown(response: HttpResponse, filename: str) -> HttpResponse:
    """Let a page show the answer, and save it under this name."""
    response["Content-Disposition"] = f'inline; filename="{filename}"'
    return response


def safe_cell(value: Any) -> str:
    """Return the cell's text; a quote before it keeps spreadsheets from running it."""
    text = "" if value is None else str(value)
    text = text.replace("\0", "")
    return f"'{text}" if text.startswith(_FORMULA) else text


def _lines(header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    writer = csv.writer(_Echo())  # type: ignore[arg-type]  # it only ever writes
    yield _MARK + writer.writerow([safe_cell(cell) for cell in header])  # type: ignore[operator]
    for row in rows:
        yield writer.writerow([safe_cell(cell) for cell in row])  # type: ignore[misc]
