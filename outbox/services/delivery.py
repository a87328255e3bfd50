"""Sending the messages of the outbox: claim some, send one after the other, settle each."""

import json
import logging
import smtplib
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path

from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from outbox.models import OutboxMessage
from outbox.services.queue import (
    DEADLINE_PASSED,
    claim_messages,
    drop_late_messages,
    has_due_messages,
    longest_send,
    mark_dead,
    mark_dropped,
    mark_sent,
    put_off,
    release_messages,
)
from outbox.services.rendering import Stale, Undeliverable, build_email, one_line, render_message

logger = logging.getLogger(__name__)

BATCH = 20
DATABASE_AWAY = (OperationalError, InterfaceError)
# smtplib's exceptions are OSErrors, and so are a refused connection and a timeout.
MAIL_TROUBLE = OSError


class MailServerAway(Exception):
    """No connection to the mail server; the messages are untouched and stay due."""


class Courier:
    """Sends messages over one mail connection, and remembers what it owes the database.

    No transaction is open while it talks to the mail server. A database that goes away in between
    loses nothing: what was sent is noted, and what was claimed is given back, by the next call.
    """

    def __init__(
        self,
        connection: BaseEmailBackend,
        *,
        clock: Callable[[], datetime] = timezone.now,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._stopped = stopped
        self._claimed: deque[OutboxMessage] = deque()
        self._owed: Callable[[], object] | None = None

    def deliver_batch(self) -> int:
        """Settle up to BATCH due messages and return how many; 0 means nothing is due.

        Raises MailServerAway when no connection can be made: then no try is counted and the
        caller asks again soon. Ends early, giving back the rest, when told to stop or when the
        claim would run out during the next message.
        """
        self._catch_up()
        now = self._clock()
        if not has_due_messages(now=now):
            return 0
        dropped = drop_late_messages(now=now)
        if dropped:
            log("mail.dropped", reason=DEADLINE_PASSED, count=dropped)
            if not has_due_messages(now=now):
                return dropped
        self._connect()
        try:
            return dropped + self._deliver_claimed()
        except MailServerAway:
            self._catch_up()
            raise
        finally:
            self._disconnect()

    def _deliver_claimed(self) -> int:
        now = self._clock()
        self._claimed.extend(claim_messages(now=now, limit=BATCH))
        settled = 0
        while self._claimed and not self._stopped():
            message = self._claimed[0]
            if self._clock() + longest_send() > message.next_try_at:
                break
            self._deliver(message)
            self._claimed.popleft()
            settled += 1
        self._catch_up()
        return settled

    def _deliver(self, message: OutboxMessage) -> None:
        """Bring one message to its end or plan its next try; raises only when a part is away."""
        try:
            email = build_email(message, render_message(message), self._connection)
        except Stale as stale:
            self._drop(message, stale.reason)
        except Undeliverable as failure:
            self._give_up(message, failure.reason)
        except DATABASE_AWAY:
            raise
        except Exception as mistake:  # noqa: BLE001 - a mistake in one text must not stop the others
            self._retry(message, f"cannot be written: {_place(mistake)}")
        else:
            self._send(message, email)

    def _send(self, message: OutboxMessage, email: EmailMultiAlternatives) -> None:
        self._connect()
        if self._clock() >= message.deadline_at:
            self._drop(message, DEADLINE_PASSED)
            return
        try:
            self._connection.send_messages([email])
        except MAIL_TROUBLE as trouble:
            self._disconnect()
            code = reply_code(trouble)
            error = " ".join(filter(None, [str(code or ""), type(trouble).__name__]))
            if is_permanent(trouble):
                self._give_up(message, error)
            else:
                self._retry(message, error)
        except Exception as mistake:  # noqa: BLE001 - a mail that cannot be encoded must not stop the others
            self._disconnect()
            self._retry(message, f"cannot be sent: {_place(mistake)}")
        else:
            now = self._clock()
            self._settle(partial(mark_sent, message=message, now=now))
            seconds = round((now - message.created_at).total_seconds(), 1)
            log("mail.sent", message, after_seconds=seconds)

    def _retry(self, message: OutboxMessage, error: str) -> None:
        self._settle(partial(put_off, message=message, error=error, now=self._clock()))
        log("mail.put_off", message, error=error)

    def _give_up(self, message: OutboxMessage, error: str) -> None:
        self._settle(partial(mark_dead, message=message, error=error, now=self._clock()))
        log("mail.dead", message, error=error)

    def _drop(self, message: OutboxMessage, reason: str) -> None:
        self._settle(partial(mark_dropped, message=message, reason=reason, now=self._clock()))
        log("mail.dropped", message, reason=reason)

    def _settle(self, write: Callable[[], object]) -> None:
        """Write the outcome; if the database is away it stays owed."""
        self._owed = write
        write()
        self._owed = None

    def _catch_up(self) -> None:
        """Write what is owed, and give back what is claimed and was not tried."""
        if self._owed is not None:
            self._settle(self._owed)
        if self._claimed:
            release_messages(messages=self._claimed, now=self._clock())
            self._claimed.clear()

    def _connect(self) -> None:
        """Open the mail connection; nothing happens while it is open."""
        try:
            self._connection.open()
        except MAIL_TROUBLE as trouble:
            self._disconnect()
            raise MailServerAway(type(trouble).__name__) from trouble

    def _disconnect(self) -> None:
        with suppress(MAIL_TROUBLE):
            self._connection.close()


def reply_code(trouble: OSError) -> int | None:
    """Return the mail server's three digits, or None when it did not answer."""
    if isinstance(trouble, smtplib.SMTPRecipientsRefused):
        return next((code for code, _ in trouble.recipients.values()), None)
    if isinstance(trouble, smtplib.SMTPResponseException):
        return trouble.smtp_code
    return None


def is_permanent(trouble: OSError) -> bool:
    """Whether the server refused this recipient or this text for good (5xx).

    A refused sender or log-in is our own configuration and gets mended; it is tried again.
    """
    refusals = (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)
    return isinstance(trouble, refusals) and (reply_code(trouble) or 0) >= 500


def log(event: str, message: OutboxMessage | None = None, **values: object) -> None:
    """Write one line of JSON: what happened to which row; never an address, a subject or a text."""
    about: dict[str, object] = {}
    if message is not None:
        about = {"message": message.pk, "kind": one_line(message.kind), "tries": message.tries}
    logger.info(json.dumps({"event": event, **about, **values}))


def _place(mistake: Exception) -> str:
    """Name the mistake by its class and line; its text may hold what a log must not."""
    frame = traceback.extract_tb(mistake.__traceback__)[-1]
    return f"{type(mistake).__name__} ({Path(frame.filename).name}:{frame.lineno})"
