"""Delivery by SMTP: send claimed messages one by one; the queue keeps what became of each."""

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
from django.utils import timezone

from outbox.models import DEADLINE_PASSED, OutboxMessage
from outbox.services.background import DATABASE_AWAY
from outbox.services.queue import (
    claim_messages,
    drop_late_messages,
    drop_message,
    has_due_messages,
    longest_send,
    mark_dead,
    mark_sent,
    release_messages,
    retry_moment,
    update_waiting,
)
from outbox.services.rendering import Stale, Undeliverable, build_email, one_line, render_message
from web.logs import log_event

logger = logging.getLogger(__name__)

# A code waits at most for a batch of bulk messages, about a third of a second.
BATCH_SIZE = 50
# How many e-mails a worker that is killed may have sent without having stored it. They are sent
# again, with the same Message-ID; each commit for itself would take a third of the time.
MOST_UNSTORED = 10
# smtplib's exceptions are OSErrors, and so are a refused connection and a timeout.
MAIL_ERRORS = OSError


class MailServerAway(Exception):
    """No connection to the mail server; no message was touched."""


class MailSender:
    """Sends messages over one mail connection.

    No transaction is open while it talks to the mail server. If the database goes away meanwhile,
    the next call first writes the outcomes that could not be written and releases the claimed
    messages: no e-mail is sent twice, and none waits for its lease to end.
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
        self._unwritten: Callable[[], object] | None = None
        self._sent: list[OutboxMessage] = []

    def deliver_batch(self) -> int:
        """Process up to BATCH_SIZE messages and return how many; 0 means that nothing waits.

        Raises MailServerAway when no connection can be made; that is not counted as a try. Stops
        early when told to, or when the lease could end before the next message is sent.
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
        self._claimed.extend(claim_messages(now=now, limit=BATCH_SIZE))
        processed = 0
        while self._claimed and not self._stopped():
            message = self._claimed[0]
            if self._clock() + longest_send() > message.next_try_at:
                break
            self._deliver(message)
            self._claimed.popleft()
            processed += 1
        self._catch_up()
        return processed

    def _deliver(self, message: OutboxMessage) -> None:
        try:
            email = build_email(message, render_message(message), self._connection)
        except Stale as stale:
            self._drop(message, str(stale))
        except Undeliverable as failure:
            self._give_up(message, str(failure))
        except DATABASE_AWAY:
            raise
        except Exception as error:  # noqa: BLE001 - one broken text must not stop the others
            self._retry(message, f"cannot be written: {_location(error)}")
        else:
            self._send(message, email)

    def _send(self, message: OutboxMessage, email: EmailMultiAlternatives) -> None:
        self._connect()
        if self._clock() >= message.deadline_at:
            self._drop(message, DEADLINE_PASSED)
            return
        try:
            self._connection.send_messages([email])
        except MAIL_ERRORS as error:
            self._disconnect()
            code = reply_code(error)
            text = " ".join(filter(None, [str(code or ""), type(error).__name__]))
            if is_permanent(error):
                self._give_up(message, text)
            else:
                self._retry(message, text)
        except Exception as error:  # noqa: BLE001 - one broken e-mail must not stop the others
            self._disconnect()
            self._retry(message, f"cannot be sent: {_location(error)}")
        else:
            self._sent.append(message)
            seconds = round((self._clock() - message.created_at).total_seconds(), 1)
            log("mail.sent", message, after_seconds=seconds)
            if len(self._sent) >= MOST_UNSTORED:
                self._store_sent()

    def _retry(self, message: OutboxMessage, error: str) -> None:
        moment = retry_moment(tries=message.tries, now=self._clock())
        self._write(message, next_try_at=moment, last_error=error[:200])
        log("mail.retry_planned", message, error=error)

    def _give_up(self, message: OutboxMessage, error: str) -> None:
        self._store(partial(mark_dead, message=message, error=error, now=self._clock()))
        log("mail.dead", message, error=error)

    def _drop(self, message: OutboxMessage, reason: str) -> None:
        self._store(partial(drop_message, message=message, reason=reason, now=self._clock()))
        log("mail.dropped", message, reason=reason)

    def _write(self, message: OutboxMessage, **values: object) -> None:
        self._store(partial(update_waiting, message=message, **values))

    def _store(self, write: Callable[[], object]) -> None:
        self._unwritten = write
        write()
        self._unwritten = None

    def _store_sent(self) -> None:
        if self._sent:
            mark_sent(messages=self._sent, now=self._clock())
            self._sent.clear()

    def _catch_up(self) -> None:
        self._store_sent()
        if self._unwritten is not None:
            self._unwritten()
            self._unwritten = None
        if self._claimed:
            release_messages(messages=self._claimed, now=self._clock())
            self._claimed.clear()

    def _connect(self) -> None:
        try:
            self._connection.open()
        except MAIL_ERRORS as error:
            self._disconnect()
            raise MailServerAway(type(error).__name__) from error

    def _disconnect(self) -> None:
        with suppress(MAIL_ERRORS):
            self._connection.close()


def reply_code(error: OSError) -> int | None:
    """Return the mail server's three-digit code, or None when it did not answer."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next((code for code, _ in error.recipients.values()), None)
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code
    return None


def is_permanent(error: OSError) -> bool:
    """Return whether the server refused this recipient or this text for good (5xx).

    A refused sender or log-in is retried: that is our configuration, which an operator will
    correct.
    """
    refusals = (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)
    return isinstance(error, refusals) and (reply_code(error) or 0) >= 500


def log(event: str, message: OutboxMessage | None = None, **values: object) -> None:
    """Write one line of JSON about a message; never an address, a subject or a text."""
    if message is not None:
        about = {"message": message.pk, "kind": one_line(message.kind), "tries": message.tries}
        values = about | values
    log_event(logger, event, **values)


def _location(error: Exception) -> str:
    # Not the error's text, which may contain what a log must not.
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} ({Path(frame.filename).name}:{frame.lineno})"
