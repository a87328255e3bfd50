"""How passwords are hashed, and how many at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher

from web.refused import Busy

# Per process. More at the same time would take the cores from the pages, and glibc keeps the 19 MiB
# of each thread that has ever hashed.
HASHES_AT_ONCE = 1
# With these waiting, two of gunicorn's eight threads are free for other pages in any flood.
HASHES_WAITING = 5
LONGEST_WAIT_SECONDS = 1.0
_hashing = BoundedSemaphore(HASHES_AT_ONCE)
_admitted = BoundedSemaphore(HASHES_AT_ONCE + HASHES_WAITING)


class Argon2idHasher(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes, one lane: OWASP's first choice, and 23 ms of one core.

    Django's defaults take 100 MiB and ten times as long: a few log-ins would slow every page. Few
    run at the same time; the next ones wait a moment, and any beyond them raise Busy.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1

    def encode(self, *args: Any, **options: Any) -> str:
        with _turn():
            encoded: str = super().encode(*args, **options)
            return encoded

    def verify(self, *args: Any, **options: Any) -> bool:
        with _turn():
            return super().verify(*args, **options)


def refuse_while_full() -> None:
    """Raise Busy if a hash would not even be let in: to find out before any other work."""
    with _admission():
        pass


@contextmanager
def _turn() -> Iterator[None]:
    with _admission():
        if not _hashing.acquire(timeout=LONGEST_WAIT_SECONDS):
            raise Busy
        try:
            yield
        finally:
            _hashing.release()


@contextmanager
def _admission() -> Iterator[None]:
    if not _admitted.acquire(blocking=False):
        raise Busy
    try:
        yield
    finally:
        _admitted.release()
