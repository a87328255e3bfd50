"""The queue: messages enqueued in an action's transaction, claimed, tried again, or dropped."""

import random
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models, transaction
from django.utils.module_loading import import_string

from audit.models import Actor
from audit.services import record_audit_event
from outbox.enums import OutboxRefusal
from outbox.models import DEADLINE_PASSED, OutboxMessage
from web.email_addresses import mask_addresses
from web.refused import Refused
from web.transactions import whole_transaction

DEADLINE = timedelta(days=3)
# The longest dialogue with a mail server: connection, greeting, EHLO, STARTTLS, handshake, EHLO,
# three answers for AUTH, MAIL, RCPT, DATA, the text, RSET, QUIT.
MAX_ANSWERS = 15
# How long the other messages of a claimed batch may take before the last one is sent.
TIME_FOR_THE_BATCH = timedelta(seconds=30)
SHORTEST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
# So many late messages of which an app must hear are dropped at once, one by one.
LATE_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """An e-mail to enqueue: who gets which text, about which object, in which language.

    `partner_id` is the partner whose members or customers it is for; by default that of the object.
    """

    kind: str
    to: str
    about: models.Model
    language: str
    data: Mapping[str, Any] = field(default_factory=dict)
    deadline_at: datetime | None = None
    is_bulk: bool = False
    partner_id: int | None = None


def enqueue_messages(*, messages: Sequence[OutgoingMessage], now: datetime) -> list[OutboxMessage]:
    """Enqueue the e-mails in one statement; the worker sends them after the commit.

    `kind` is "app.name": that function of the app's `emails` module writes the text when it is
    sent. `data` must contain no secret. A message that is not sent by its deadline (three days by
    default) is dropped. Call it in the transaction of the action.
    """
    host = urlsplit(settings.PUBLIC_BASE_URL).hostname
    return OutboxMessage.objects.bulk_create(
        OutboxMessage(
            kind=outgoing.kind,
            recipient=outgoing.to,
            language=outgoing.language or settings.LANGUAGE_CODE,
            about_label=outgoing.about._meta.label_lower,
            about_id=str(outgoing.about.pk),
            partner_id=outgoing.partner_id or getattr(outgoing.about, "partner_id", None),
            data=dict(outgoing.data),
            message_id=f"<{secrets.token_hex(16)}@{host}>",
            created_at=now,
            deadline_at=outgoing.deadline_at or now + DEADLINE,
            next_try_at=now,
            is_bulk=outgoing.is_bulk,
        )
        for outgoing in messages
    )


def has_due_messages(*, now: datetime) -> bool:
    """Return whether a message must be sent or dropped now."""
    waiting = OutboxMessage.objects.waiting()
    return waiting.filter(models.Q(next_try_at__lte=now) | models.Q(deadline_at__lte=now)).exists()


def drop_late_messages(*, now: datetime) -> int:
    """Drop the messages whose deadline has passed, and return how many.

    All in one statement, but those of which their app must hear, some at a time.
    """
    late = OutboxMessage.objects.waiting().filter(deadline_at__lte=now)
    heard_of = list(settings.UNDELIVERED_EMAIL_HANDLERS)
    dropped = late.exclude(kind__in=heard_of).update(dropped_at=now, drop_reason=DEADLINE_PASSED)
    some = list(late.filter(kind__in=heard_of).order_by("pk")[:LATE_AT_ONCE])
    for message in some:
        drop_message(message=message, reason=DEADLINE_PASSED, now=now)
    return dropped + len(some)


def longest_send() -> timedelta:
    """Return how long one message can take when each answer takes almost EMAIL_TIMEOUT seconds."""
    return MAX_ANSWERS * timedelta(seconds=settings.EMAIL_TIMEOUT)


def claim_messages(*, now: datetime, limit: int) -> list[OutboxMessage]:
    """Claim up to `limit` due messages for this worker, longest waiting first, bulk last.

    So a verification code never waits for ten thousand invitations. A claim ends by itself: the
    try is counted and `next_try_at` is set to the end of the claim before anything is sent. When a
    worker dies, others get its messages then. SKIP LOCKED keeps two workers from claiming the same
    row; SQLite has one writer at a time and needs no lock.
    """
    lease_until = now + longest_send() + TIME_FOR_THE_BATCH
    with transaction.atomic():
        messages = list(
            OutboxMessage.objects.waiting()
            .filter(next_try_at__lte=now, deadline_at__gt=now)
            .order_by("is_bulk", "next_try_at", "pk")
            .select_for_update(skip_locked=True)[:limit]
        )
        OutboxMessage.objects.filter(pk__in=[message.pk for message in messages]).update(
            next_try_at=lease_until, tries=models.F("tries") + 1
        )
    for message in messages:
        message.next_try_at = lease_until
        message.tries += 1
    return messages


def release_messages(*, messages: Collection[OutboxMessage], now: datetime) -> None:
    """Make claimed messages that were not tried due again, and do not count the try."""
    for lease_until in {message.next_try_at for message in messages}:
        OutboxMessage.objects.waiting().filter(
            pk__in=[message.pk for message in messages], next_try_at=lease_until
        ).update(next_try_at=now, tries=models.F("tries") - 1)


def update_waiting(*, message: OutboxMessage, **values: Any) -> None:
    """Store what became of a message; changes nothing once it has ended."""
    OutboxMessage.objects.waiting().filter(pk=message.pk).update(**values)


@whole_transaction
def mark_dead(*, message: OutboxMessage, error: str, now: datetime) -> None:
    """Store that a message can never be sent; changes nothing once it has ended.

    The app of the e-mail hears of it in the same transaction (`UNDELIVERED_EMAIL_HANDLERS`).
    """
    with transaction.atomic():
        waiting = OutboxMessage.objects.waiting().filter(pk=message.pk)
        if waiting.update(dead_at=now, last_error=error[:200]):
            _tell_app(message)


@whole_transaction
def drop_message(*, message: OutboxMessage, reason: str, now: datetime) -> None:
    """Store why a message is not sent any more; changes nothing once it has ended.

    The app hears of one that was too late, as of one that is dead.
    """
    with transaction.atomic():
        waiting = OutboxMessage.objects.waiting().filter(pk=message.pk)
        dropped = waiting.update(dropped_at=now, drop_reason=reason[:80] or "stale")
        if dropped and reason == DEADLINE_PASSED:
            _tell_app(message)


def _tell_app(message: OutboxMessage) -> None:
    """Tell the app, where it asks for it, that the message is undelivered, or is no more."""
    handler = settings.UNDELIVERED_EMAIL_HANDLERS.get(message.kind)
    if handler is not None:
        import_string(handler)(message=message)


def mark_sent(*, messages: Collection[OutboxMessage], now: datetime) -> None:
    """Store that messages were sent; changes nothing about those that have ended."""
    keys = [message.pk for message in messages]
    OutboxMessage.objects.waiting().filter(pk__in=keys).update(sent_at=now, last_error="")


def retry_moment(*, tries: int, now: datetime) -> datetime:
    """Return when to try a message again that has failed for a while, `tries` times by now.

    The wait doubles with each try, from one minute to one hour. Below the hour it varies by a
    quarter, so that the messages of one outage do not all return in the same second.
    """
    factor = float(2 ** min(max(tries - 1, 0), 10)) * random.uniform(1, 1.25)  # noqa: S311 - no secret
    return now + min(SHORTEST_WAIT * factor, LONGEST_WAIT)


def is_delayed(*, now: datetime) -> bool:
    """Return whether a message has been due for five minutes or more."""
    late = now - timedelta(minutes=5)
    return OutboxMessage.objects.waiting().filter(next_try_at__lte=late).exists()


def count_waiting(*, now: datetime) -> int:
    """Return how many messages wait, due or not."""
    return OutboxMessage.objects.waiting().count()


def longest_delay(*, now: datetime) -> float:
    """Return for how many seconds the message that is due longest has been due."""
    due = OutboxMessage.objects.waiting().filter(next_try_at__lte=now)
    first: datetime | None = due.aggregate(first=models.Min("next_try_at"))["first"]
    return (now - first).total_seconds() if first else 0.0


@whole_transaction
def revive_message(*, message: OutboxMessage, by: Actor, now: datetime) -> OutboxMessage:
    """Make a dead message due again, with the same Message-ID and a new deadline.

    Raises Refused: NOT_DEAD, and RECIPIENT_FORGOTTEN for an old one (`forget_recipients()`).
    """
    with transaction.atomic():
        locked = OutboxMessage.objects.select_for_update().get(pk=message.pk)
        if locked.dead_at is None:
            raise Refused(OutboxRefusal.NOT_DEAD)
        if not locked.recipient:
            raise Refused(OutboxRefusal.RECIPIENT_FORGOTTEN)
        before = {
            "dead_at": locked.dead_at,
            "tries": locked.tries,
            "last_error": mask_addresses(locked.last_error),
        }
        locked.dead_at, locked.tries = None, 0
        locked.next_try_at, locked.deadline_at = now, max(locked.deadline_at, now + DEADLINE)
        locked.save(update_fields=["dead_at", "tries", "next_try_at", "deadline_at"])
        _tell_app(locked)
        record_audit_event(
            action="message.revived",
            about=locked,
            by=by,
            now=now,
            before=before,
            # Only the deadline: the worker changes the other fields, and writes no audit event.
            after={"deadline_at": locked.deadline_at},
        )
    return locked
