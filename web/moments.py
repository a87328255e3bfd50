"""Moments as other systems write them, as the audit trail stores them, and as people read them."""

import re
from datetime import UTC, datetime, timedelta, tzinfo

from django.utils.formats import date_format
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


def stored_moment(moment: datetime | None) -> str | None:
    """Return a moment as the audit trail stores it."""
    return None if moment is None else moment.isoformat()


def moment_text(moment: datetime) -> str:
    """Return the day and the time with its zone, in the active zone."""
    local = local_moment(moment)
    return f"{date_format(local, 'DATETIME_FORMAT')} {local:%Z}"


def clock_text(moment: datetime) -> str:
    """Return the time of the day with its zone, and with the day unless that is today."""
    local = local_moment(moment)
    is_today = local.date() == localtime().date()
    return f"{date_format(local, 'TIME_FORMAT')} {local:%Z}" if is_today else moment_text(moment)


def next_minute(moment: datetime) -> datetime:
    """Return the first whole minute at or after the moment, because pages show no seconds."""
    begun = moment.replace(second=0, microsecond=0)
    return begun if begun == moment else begun + timedelta(minutes=1)
