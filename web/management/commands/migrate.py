"""Django's `migrate`, which never lets a busy system wait behind it for long."""

import time
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connections

LOCK_TIMEOUT = "2s"
# How long to wait before each further try, in seconds.
PAUSES = (1, 2, 4, 8)


class Command(migrate.Command):
    """Waits at most two seconds for a lock on PostgreSQL, and tries a few times.

    A migration that waits for a lock makes everyone else on that table wait behind it. What was
    migrated before the lock stays; the migration that could not get it is rolled back.
    """

    def handle(self, *args: Any, **options: Any) -> None:
        connection: Any = connections[options["database"]]
        if connection.vendor != "postgresql":
            super().handle(*args, **options)
            return
        try:
            self._try_until_unlocked(connection, *args, **options)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("RESET lock_timeout")

    def _try_until_unlocked(self, connection: Any, *args: Any, **options: Any) -> None:
        for pause in (*PAUSES, None):
            try:
                with connection.cursor() as cursor:
                    cursor.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
                super().handle(*args, **options)
                return
            except OperationalError as error:
                if not _is_lock_timeout(error):
                    raise
                if pause is None:
                    raise CommandError(
                        "A table is in use all the time, so it was not migrated:"
                        " run migrate again when fewer people work."
                    ) from error
                self.stderr.write(f"A table is in use; the next try is in {pause} s.")
                time.sleep(pause)


def _is_lock_timeout(error: OperationalError) -> bool:
    return getattr(error.__cause__, "sqlstate", "") == "55P03"
