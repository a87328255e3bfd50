"""The exceptions for refusals: an action that is not done, and a request that finds no capacity."""

from datetime import datetime
from enum import Enum
from typing import Any


class Refused(Exception):
    """A service did not do what was asked, and wrote nothing.

    `code` is a member of the enum that lists the reasons; the app's `refusals.py` has a sentence
    for each. `again_at` is the moment from which the same is possible again, where there is one:
    pages answer 429 with Retry-After instead of 409. `context` has the objects and values that
    the sentence names. Subclass it only where a caller must tell two kinds apart.
    """

    def __init__(self, code: Enum, *, again_at: datetime | None = None, **context: Any) -> None:
        super().__init__(code.value)
        self.code = code
        self.again_at = again_at
        self.context = context


class Busy(Exception):
    """There is no capacity for this request at the moment; pages answer 503 with Retry-After."""

    retry_after_seconds = 2
