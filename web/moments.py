"""Moments in the zone of their readers, and the earliest that is believed."""

from datetime import UTC, datetime, tzinfo

from django.utils.timezone import localtime

# Systems write moments before it for "never" and "unknown", which rules would take for real ones.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


def local_moment(at: datetime, zone: tzinfo | None = None) -> datetime:
    """Return the moment in the active zone, or in this one.

    On the first and the last day that Python counts another zone can have no date for it: then it
    stays as it is, so that no page fails on what is stored.
    """
    try:
        return localtime(at, zone)
    except OverflowError:
        return at
