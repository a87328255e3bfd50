"""A bound on log lines of one kind, which tells how many it left out."""

import logging
import threading
import time
from collections.abc import Callable

from django.http import HttpResponseBase

logger = logging.getLogger(__name__)


class Sampler:
    """Lets a number of events through in each period; the others are counted."""

    def __init__(
        self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.most, self.seconds, self.clock = most, seconds, clock
        self._lock = threading.Lock()
        self._begun, self._events = clock(), 0

    def take(self) -> int | None:
        """Return None for an event to leave out, else how many were left out since the last one."""
        with self._lock:
            now = self.clock()
            if now - self._begun < self.seconds:
                self._events += 1
                return 0 if self._events <= self.most else None
            left_out = max(0, self._events - self.most)
            self._begun, self._events = now, 1
            return left_out


def log_by_sample(response: HttpResponseBase, sampler: Sampler) -> None:
    """Let Django log this answer, which is an error of the client, only if the sampler takes it."""
    left_out = sampler.take()
    if left_out is None:
        # What Django's log_response() sets on an answer that it has logged.
        response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    elif left_out:
        logger.warning("%d answers like the next one were not logged.", left_out)
