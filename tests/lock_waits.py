"""Who waits for a lock on PostgreSQL, so that a race begins when the other has reached it.

Only connections of this database count: tests run beside each other, each worker in its own.
"""

import time

import pytest
from django.db import connection

WAITING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def someone_waits() -> bool:
    """Tell whether a connection of this database waits for a lock."""
    with connection.cursor() as cursor:
        # Within one transaction PostgreSQL shows the same picture again and again.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(WAITING)
        return cursor.fetchone()[0] > 0


def wait_until_someone_waits() -> None:
    """Return once another connection of this database waits for a lock; fail after 20 seconds."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if someone_waits():
            return
        time.sleep(0.02)
    pytest.fail("No connection waits for a lock, so this race tests nothing.")
