"""How long one request may still wait for the database and the cache, in sum.

A limit for each statement or command is not enough: ten slow ones add up. Time in which Python
works does not count, so a page that computes is not cut off. Commands and the worker have no limit.
"""

from contextvars import ContextVar
from time import monotonic

_seconds_left: ContextVar[float | None] = ContextVar("seconds_left", default=None)


def seconds_left() -> float | None:
    """Return how long this request may still wait, at least 0; None where there is no limit."""
    return _seconds_left.get()


def count_wait(begun: float) -> None:
    """Take away the time since `begun`, a value of `time.monotonic()`."""
    left = _seconds_left.get()
    if left is not None:
        _seconds_left.set(max(0.0, left - (monotonic() - begun)))


def shortest(*limits: float | None) -> float | None:
    """Return the shortest of the limits; None stands for none."""
    return min((limit for limit in limits if limit is not None), default=None)


class waiting_at_most:  # noqa: N801 - read as a statement: with waiting_at_most(2.5)
    """Limit the waiting within a block; None lifts the limit, for work that is known to be long."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds

    def __enter__(self) -> None:
        self.before = _seconds_left.set(self.seconds)

    def __exit__(self, *_error: object) -> None:
        _seconds_left.reset(self.before)
