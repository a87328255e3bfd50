"""What pages tell about verification codes: the one on its way, and from when the next is possible.

The sentences are in `components/code.html`, and those of refusals in `accounts/refusals.py`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import ClassVar

from accounts.services.codes import LIFETIME, PER_DAY, PER_HOUR

# Up to here the wait is named in seconds, beyond it by its end.
_SHORT_WAIT = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class CodeFacts:
    """A code that was sent, as a page shows it at the moment `now`."""

    sent_at: datetime
    next_at: datetime | None
    now: datetime

    # How many codes one address gets.
    per_hour: ClassVar[int] = PER_HOUR
    per_day: ClassVar[int] = PER_DAY

    def to_keep(self) -> dict[str, str | None]:
        """Return it as JSON for the session."""
        next_at = self.next_at.isoformat() if self.next_at is not None else None
        return {"sent_at": self.sent_at.isoformat(), "next_at": next_at}

    @classmethod
    def restore(cls, kept: dict[str, str | None], *, now: datetime) -> "CodeFacts":
        sent_at, next_at = kept["sent_at"], kept["next_at"]
        return cls(
            datetime.fromisoformat(sent_at or ""),
            datetime.fromisoformat(next_at) if next_at is not None else None,
            now,
        )

    @property
    def expires_at(self) -> datetime:
        return self.sent_at + LIFETIME

    @property
    def has_expired(self) -> bool:
        return self.expires_at <= self.now

    @property
    def wait_until(self) -> datetime | None:
        """From when the next code is possible; None when it is possible now."""
        return self.next_at if self.next_at is not None and self.now < self.next_at else None

    @property
    def wait_seconds(self) -> int | None:
        """The same in seconds, while that is a short wait."""
        if self.wait_until is None or self.wait_until - self.now > _SHORT_WAIT:
            return None
        return ceil((self.wait_until - self.now).total_seconds())
