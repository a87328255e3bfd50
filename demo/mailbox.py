"""Reading the mails that the demo keeps in files instead of sending them."""

import email
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from itertools import islice
from pathlib import Path

# What Django's file backend writes after each message.
_END = b"\n" + b"-" * 79 + b"\n"
_MOST_FILES = 1_000
_LONGEST_TEXT = 20_000


@dataclass(frozen=True, slots=True)
class StoredMail:
    """One mail as it was sent; `key` names it in addresses."""

    key: str
    recipient: str
    subject: str
    sent_at: datetime
    text: str
    html: str


def newest_mails(directory: Path, *, recipient: str = "", limit: int = 100) -> list[StoredMail]:
    """Return the newest mails, newest first, all or those to one canonical address."""
    mails = (mail for mail in _mails(directory) if recipient in ("", mail.recipient.lower()))
    return list(islice(mails, limit))


def find_mail(directory: Path, *, key: str) -> StoredMail | None:
    """Return the mail of this key, or None."""
    return next((mail for mail in _mails(directory) if mail.key == key), None)


def _mails(directory: Path) -> Iterator[StoredMail]:
    """Walk the files from the newest; what cannot be read or understood is passed over."""
    for path in _newest_files(directory):
        try:
            # What follows the last mark is still being written.
            complete = path.read_bytes().split(_END)[:-1]
        except OSError:
            continue
        for raw in reversed(complete):
            mail = _parsed(raw)
            if mail is not None:
                yield mail


def _newest_files(directory: Path) -> list[Path]:
    try:
        files = [(path.stat().st_mtime_ns, path) for path in directory.glob("*.log")]
    except OSError:
        return []
    return [path for _, path in sorted(files, reverse=True)[:_MOST_FILES]]


def _parsed(raw: bytes) -> StoredMail | None:
    try:
        message = email.message_from_bytes(raw, EmailMessage, policy=default)
        sent_at = message["Date"].datetime
        return StoredMail(
            key=hashlib.sha256(raw).hexdigest()[:20],
            recipient=message["To"].addresses[0].addr_spec,
            subject=str(message["Subject"] or ""),
            sent_at=sent_at if sent_at.tzinfo else sent_at.replace(tzinfo=UTC),
            text=_part(message, "plain")[:_LONGEST_TEXT],
            html=_part(message, "html"),
        )
    except Exception:  # noqa: BLE001 - the library raises many things for a broken mail
        return None


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    return "" if body is None else str(body.get_content())
