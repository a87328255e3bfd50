"""Calendar files (RFC 5545) with one entry."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# In bytes, without the line's end.
LONGEST_LINE = 75
DURATION = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """The half hour before `ends_at`, with an alarm `alarm` before the end.

    A program that has an entry of this `uid` replaces it; `written_at` tells which is newer.
    `product_id` names what wrote it: `-//organisation//product//language`.
    """

    uid: str
    written_at: datetime
    ends_at: datetime
    alarm: timedelta
    summary: str
    description: str
    url: str
    product_id: str

    def as_ics(self) -> bytes:
        alarm = int(self.alarm.total_seconds()) // 60
        lines = (
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            f"PRODID:{_text(self.product_id)}",
            "METHOD:PUBLISH",
            "BEGIN:VEVENT",
            f"UID:{self.uid}",
            f"DTSTAMP:{_moment(self.written_at)}",
            f"DTSTART:{_moment(self.ends_at - DURATION)}",
            f"DTEND:{_moment(self.ends_at)}",
            f"SUMMARY:{_text(self.summary)}",
            f"DESCRIPTION:{_text(self.description)}",
            f"URL:{self.url}",
            # The owner of the calendar counts as free.
            "TRANSP:TRANSPARENT",
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            f"DESCRIPTION:{_text(self.summary)}",
            f"TRIGGER;RELATED=END:-PT{alarm}M",
            "END:VALARM",
            "END:VEVENT",
            "END:VCALENDAR",
        )
        return b"".join(_folded(line) for line in lines)


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    """Return the text with what has a meaning in calendar files escaped, on one line."""
    for character in "\\;,":
        text = text.replace(character, f"\\{character}")
    return "\\n".join(text.splitlines())


def _folded(line: str) -> bytes:
    """Return the line in parts of at most LONGEST_LINE bytes, no character divided."""
    parts, part = [], b""
    for character in line:
        encoded = character.encode()
        if len(part) + len(encoded) > LONGEST_LINE:
            parts.append(part)
            part = b" "
        part += encoded
    return b"\r\n".join([*parts, part]) + b"\r\n"
