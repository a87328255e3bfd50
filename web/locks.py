"""What all servers share by the database: locks for things that have no row yet, and a clock."""

import hashlib
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone


def lock_name(name: str) -> None:
    """Take the lock called `name` until the transaction ends; wait while another one has it.

    PostgreSQL has advisory locks. On SQLite a transaction is IMMEDIATE and already excludes every
    other writer. Must be called inside a transaction.
    """
    if connection.vendor == "postgresql":
        _fetch("SELECT pg_advisory_xact_lock(%s)", _key_of(name))


def share_name(name: str) -> datetime:
    """Take the lock beside others that share it, and return `database_now()` after that.

    Waits only for `lock_name()`, which waits for all who share it. One statement: PostgreSQL
    computes its columns in their order.
    """
    if connection.vendor != "postgresql":
        return timezone.now()
    sql = "SELECT pg_advisory_xact_lock_shared(%s), clock_timestamp()"
    moment: datetime = _fetch(sql, _key_of(name))[1]
    return moment


def database_now() -> datetime:
    """Return the moment by the database's clock, which all servers share.

    SQLite has no clock of its own.
    """
    if connection.vendor != "postgresql":
        return timezone.now()
    moment: datetime = _fetch("SELECT clock_timestamp()")[0]
    return moment


def _key_of(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def _fetch(sql: str, *values: int) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        row: tuple[Any, ...] = cursor.fetchone()
    return row
