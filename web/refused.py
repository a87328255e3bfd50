"""The exceptions for refusals: an action that is not done, and a request that finds no capacity."""

from collections.abc import Sequence
from contextvars import ContextVar
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple


class Refusal(NamedTuple):
    """What is noted of a `Refused` for the security log."""

    code: Enum
    reasons: tuple[str, ...]


_noted: ContextVar[Refusal | None] = ContextVar("refusal", default=None)


def noted_refusal() -> Refusal | None:
    """Return the first refusal of the current request."""
    return _noted.get()


def forget_refusal() -> None:
    """Note nothing: a new request begins, or what was refused is answered as done."""
    _noted.set(None)


class Refused(Exception):
    """A service did not do what was asked, and wrote nothing.

    `code` is a member of the enum that lists the reasons; the app's `refusals.py` has a sentence
    for each. `again_at` is the moment from which the same is possible again, where there is one:
    pages answer 429 with Retry-After instead of 409. `context` has the objects and values that
    the sentence names; `reasons` are codes that explain the code. Subclass it only where a caller
    must tell two kinds apart.

    It notes itself for the security log, which `web.request_log` writes when the answer is known.
    """

    def __init__(
        self,
        code: Enum,
        *,
        again_at: datetime | None = None,
        reasons: Sequence[str] = (),
        **context: Any,
    ) -> None:
        super().__init__(code.value)
        if _noted.get() is None:
            _noted.set(Refusal(code, tuple(reasons)))
        self.code = code
        self.again_at = again_at
        self.context = context


class Busy(Exception):
    """There is no capacity for this request at the moment; pages answer 503 with Retry-After."""

    retry_after_seconds = 2
