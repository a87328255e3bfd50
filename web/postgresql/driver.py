"""The driver psycopg, with connections that give up waiting when the request's time is used up.

Settings of the server do not help against a server that has stopped answering, and TCP's own limits
count only while data is not acknowledged: a proxy or a stopped process acknowledges for ever.
"""

from time import monotonic
from typing import Any, Self

import psycopg
from psycopg import *  # noqa: F403 - Django needs the names that PEP 249 lists

from web.waits import count_wait, seconds_left, shortest

# The shortest limit that psycopg knows; connecting may take so long.
CONNECT_SECONDS = 2


class WaitedTooLong(psycopg.OperationalError):
    """The database did not answer within the time that the request had left."""


class BoundedConnection(psycopg.Connection[Any]):
    """Raises WaitedTooLong when the time of the request is used up, and is closed then.

    The server ends the transaction of a closed connection: `client_connection_check_interval`.
    Outside of a request each statement may take `longest_wait` seconds.
    """

    longest_wait: float | None = None

    @classmethod
    def connect(cls, conninfo: str = "", **options: Any) -> Self:
        left = seconds_left()
        if left is not None and left < CONNECT_SECONDS:
            raise WaitedTooLong("no time is left to connect to the database")
        begun = monotonic()
        try:
            return super().connect(conninfo, **options)
        finally:
            count_wait(begun)

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        left = seconds_left()
        limits = [self.longest_wait if left is None else left, timeout]
        begun = monotonic()
        try:
            return super().wait(gen, interval, shortest(*limits))
        except psycopg.OperationalError as error:
            if self.pgconn.transaction_status != psycopg.pq.TransactionStatus.ACTIVE:
                raise
            # It still waits for an answer, so nothing else can be sent through it.
            self.close()
            raise WaitedTooLong("the database has not answered in time") from error
        finally:
            count_wait(begun)


connect = BoundedConnection.connect
