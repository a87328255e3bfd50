"""The console's CSV files: with the separator that the partner's settings name."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import StreamingHttpResponse

from partners.enums import CsvSeparator
from partners.models import PartnerMember
from web.downloads import csv_download

SEPARATORS = {CsvSeparator.COMMA: ",", CsvSeparator.SEMICOLON: ";", CsvSeparator.TAB: "\t"}


def csv_of(
    member: PartnerMember, name: str, header: Sequence[Any], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    """Stream the rows as `name`.csv for the member; see `csv_download()`."""
    separator = SEPARATORS[CsvSeparator(member.partner.csv_separator)]
    return csv_download(name, header, rows, separator=separator)
