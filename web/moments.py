"""Moments as other systems write them, and in the zone of their readers."""

import re
from datetime import UTC, datetime, tzinfo

from django.utils.timezone import localtime

# Systems write moments before it for "never" and "unknown", which rules would take for real ones.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
# RFC 3339: with seconds and a zone. Python reads more: weeks, days of the year, hours alone.
_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)


def read_moment(text: str) -> datetime:
    """Return the moment that RFC 3339 writes so, in UTC. Raises ValueError for other text."""
    if not _MOMENT.fullmatch(text):
        raise ValueError(text)
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error


def local_moment(at: datetime, zone: tzinfo | None = None) -> datetime:
    """Return the moment in the active zone, or in this one.

    On the first and the last day that Python counts another zone can have no date for it: then it
    stays as it is, so that no page fails on what is stored.
    """
    try:
        return localtime(at, zone)
    except OverflowError:
        return at
