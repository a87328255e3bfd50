"""The e-mails that the demo writes to files instead of sending them."""

import email
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

# Django's file backend writes this after each message.
_SEPARATOR = b"\n" + b"-" * 79 + b"\n"
_MAX_FILES = 1_000
_MAX_TEXT = 20_000


@dataclass(frozen=True, slots=True)
class StoredEmail:
    """One e-mail as it was sent; `key` is its id in URLs."""

    key: str
    recipient: str
    subject: str
    sent_at: datetime
    text: str
    html: str


def newest_emails(directory: Path) -> Iterator[StoredEmail]:
    """Yield the e-mails, newest file first, without those that cannot be read or parsed."""
    files = sorted(directory.glob("*.log"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in files[:_MAX_FILES]:
        try:
            # Django is still writing what follows the last separator.
            complete = path.read_bytes().split(_SEPARATOR)[:-1]
        except OSError:
            continue
        yield from filter(None, map(_parse, reversed(complete)))


def _parse(raw: bytes) -> StoredEmail | None:
    try:
        message = email.message_from_bytes(raw, EmailMessage, policy=default)
        sent_at = message["Date"].datetime
        return StoredEmail(
            key=hashlib.sha256(raw).hexdigest()[:20],
            recipient=message["To"].addresses[0].addr_spec,
            subject=str(message["Subject"] or ""),
            sent_at=sent_at if sent_at.tzinfo else sent_at.replace(tzinfo=UTC),
            text=_part(message, "plain")[:_MAX_TEXT],
            html=_part(message, "html"),
        )
    except Exception:  # noqa: BLE001 - the library raises many things for a broken e-mail
        return None


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    return "" if body is None else str(body.get_content())
