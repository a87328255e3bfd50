"""Locks by name, for things that have no row yet."""

import hashlib

from django.db import connection


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
