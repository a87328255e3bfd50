"""Connections to Redis that give up waiting when the request's time is used up.

A limit on the socket alone counts from each byte that arrives, so a slow server could answer for
ever, and several slow commands add up.
"""

from time import monotonic
from typing import Any

from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import TimeoutError as RedisTimeoutError

from web.waits import count_wait, seconds_left, shortest


class BoundedSocket:
    """A socket whose reading and writing count as waiting of the request."""

    def __init__(self, sock: Any) -> None:
        self.sock, self.most = sock, sock.gettimeout()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)

    def settimeout(self, seconds: float | None) -> None:
        self.most = seconds
        self.sock.settimeout(seconds)

    def recv(self, *arguments: Any) -> Any:
        return self._wait(self.sock.recv, *arguments)

    def sendall(self, *arguments: Any) -> Any:
        return self._wait(self.sock.sendall, *arguments)

    def _wait(self, act: Any, *arguments: Any) -> Any:
        # redis-py looks with a limit of 0 whether anything has come.
        if self.most == 0:
            return act(*arguments)
        self.sock.settimeout(_limit(self.most))
        begun = monotonic()
        try:
            return act(*arguments)
        finally:
            count_wait(begun)
            self.sock.settimeout(self.most)


class Bounded:
    """What the three kinds of connections have in common."""

    def _connect(self: Any) -> BoundedSocket:
        configured = self.socket_connect_timeout
        self.socket_connect_timeout = _limit(configured)
        begun = monotonic()
        try:
            return BoundedSocket(super()._connect())  # type: ignore[misc]
        finally:
            count_wait(begun)
            self.socket_connect_timeout = configured


def _limit(configured: float | None) -> float | None:
    """Return how long the next wait may take. Raises TimeoutError when no time is left."""
    left = seconds_left()
    if left is not None and left <= 0:
        raise RedisTimeoutError("The request has no time left to wait for Redis.")
    return shortest(configured, left)


class BoundedTcp(Bounded, Connection):
    pass


class BoundedTls(Bounded, SSLConnection):
    pass


class BoundedUnixSocket(Bounded, UnixDomainSocketConnection):
    pass


KINDS = {"redis": BoundedTcp, "rediss": BoundedTls, "unix": BoundedUnixSocket}
