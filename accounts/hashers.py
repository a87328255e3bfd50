"""How passwords are hashed, and how many log-ins are worked on at the same time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher

from web.refused import Busy

# Per process, beside the one that has its turn. In a flood, two of gunicorn's eight threads are
# left for other pages.
WAITING = 5
LONGEST_WAIT_SECONDS = 1.0
_admitted = threading.BoundedSemaphore(1 + WAITING)
_turn = threading.Lock()
_thread = threading.local()


class Argon2idHasher(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes, one lane: OWASP's first choice, and 23 ms of one core.

    Django's defaults take 100 MiB and ten times as long: a few log-ins would slow every page.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1

    def encode(self, *args: Any, **options: Any) -> str:
        with hashing_turn():
            encoded: str = super().encode(*args, **options)
            return encoded

    def verify(self, *args: Any, **options: Any) -> bool:
        with hashing_turn():
            return super().verify(*args, **options)


def too_many_wait() -> bool:
    """Return whether hashing_turn() would refuse now. `CAPACITY_CHECKS` asks before other work."""
    if not _admitted.acquire(blocking=False):
        return True
    _admitted.release()
    return False


@contextmanager
def hashing_turn() -> Iterator[None]:
    """Wait for this process's only turn to hash a password. Raises Busy when too many wait.

    More hashes at the same time would take the cores from the pages, and glibc keeps the 19 MiB of
    each thread that has ever hashed. A turn within a turn is the same one: a log-in takes it for
    the whole request, so that a flood does not compete with pages for the interpreter either.
    """
    if getattr(_thread, "has_turn", False):
        yield
        return
    if not _admitted.acquire(blocking=False):
        raise Busy
    try:
        if not _turn.acquire(timeout=LONGEST_WAIT_SECONDS):
            raise Busy
        _thread.has_turn = True
        try:
            yield
        finally:
            _thread.has_turn = False
            _turn.release()
    finally:
        _admitted.release()
