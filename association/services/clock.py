"""The clock that decides about associations."""

from datetime import datetime

from django.db import connection
from django.utils import timezone


def database_now() -> datetime:
    """Return the moment by the database's clock, not by its transaction's beginning.

    Several application servers share one database, so they share its clock. SQLite has none of its
    own: there the process's clock is the same machine's.
    """
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment
