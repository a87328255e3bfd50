"""Sampling of log lines that a flood of requests would repeat."""

import logging
import time
from collections.abc import Callable, Hashable
from http import HTTPStatus
from threading import Lock
from typing import Any

MOST_LINES = 60
SECONDS = 60.0


class Sampler:
    """Admits the first lines of each kind in a minute, and counts those that it leaves out.

    Each process counts for itself. Kinds must be few: routes and statuses, never what was typed.
    """

    def __init__(
        self,
        most: int = MOST_LINES,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._lock = Lock()
        # Of each kind: when its window ends, and how many lines it had.
        self._windows: dict[Hashable, tuple[float, int]] = {}

    def admit(self, kind: Hashable) -> int | None:
        """Return None to leave a line out, else how many of its kind were left out before it."""
        now = self._clock()
        with self._lock:
            end, count = self._windows.get(kind, (0.0, 0))
            if now < end:
                self._windows[kind] = end, count + 1
                return 0 if count < self._most else None
            self._windows[kind] = now + self._seconds, 1
            return max(0, count - self._most)


_sampler = Sampler()


def facts_of_sample(*kind: Hashable) -> dict[str, Any] | None:
    """Return the facts to add to a line of this kind, or None to leave the line out."""
    left_out = _sampler.admit(kind)
    if left_out is None:
        return None
    return {"left_out_before": left_out} if left_out else {}


def is_sampled(status: int) -> bool:
    """Return whether a flood is answered with it: what was wrong, or that there is no capacity."""
    return 400 <= status < 500 or status == HTTPStatus.SERVICE_UNAVAILABLE


class SampleRefusals(logging.Filter):
    """Samples the lines that Django writes about each answer of 4xx, and of 503."""

    def filter(self, record: logging.LogRecord) -> bool:
        status = getattr(record, "status_code", 500)
        if not is_sampled(status):
            return True
        facts = facts_of_sample(record.name, status)
        if facts:
            record.msg = f"{record.msg} ({facts['left_out_before']} such lines were left out)"
        return facts is not None
