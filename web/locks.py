"""What all servers share by the database: locks for things that have no row yet, and a clock."""

import hashlib
from datetime import datetime

from django.db import connection
from django.utils import timezone


def lock_name(name: str) -> None:
    """Take the lock called `name` until the transaction ends; wait while another one has it.

    PostgreSQL has advisory locks. On SQLite a transaction is IMMEDIATE and already excludes every
    other writer. Must be called inside a transaction.
    """
    if connection.vendor != "postgresql":
        return
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


def database_now() -> datetime:
    """Return the moment by the database's clock, which all servers share.

    SQLite has no clock of its own.
    """
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment
