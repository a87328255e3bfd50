"""The outbox: messages promised in the transaction of an act, claimed and settled by the worker."""

import random
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models, transaction

from audit.services import record_audit_event
from outbox.enums import OutboxProblem
from outbox.models import OutboxMessage
from web.refused import Refused

DEADLINE = timedelta(days=3)
# The answers of a mail server that one message waits for at most: connection, greeting, EHLO,
# STARTTLS, handshake, EHLO again, three for AUTH, MAIL, RCPT, DATA, the text; after trouble RSET
# and QUIT.
MOST_ANSWERS = 15
# What a claim leaves to the messages before the last one of a batch.
TIME_FOR_THE_OTHERS = timedelta(seconds=30)
SHORTEST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
DEADLINE_PASSED = "deadline passed"


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message to be sent: who gets which text, about which object, in which language."""

    kind: str
    to: str
    about: models.Model
    language: str
    data: Mapping[str, Any] = field(default_factory=dict)
    deadline_at: datetime | None = None
    is_bulk: bool = False


def enqueue_messages(*, messages: Sequence[OutgoingMessage], now: datetime) -> list[OutboxMessage]:
    """Write the promised messages, in one statement; the worker sends them after the commit.

    `kind` is "app.name", rendered at sending time by that function of the app's `emails` module.
    `data` must hold no secret. A message that is not sent by its deadline (three days unless
    said) is dropped. One that `is_bulk` lets all others pass. Call it inside the transaction of
    the act.
    """
    host = urlsplit(settings.PUBLIC_BASE_URL).hostname
    return OutboxMessage.objects.bulk_create(
        OutboxMessage(
            kind=outgoing.kind,
            recipient=outgoing.to,
            language=outgoing.language or settings.LANGUAGE_CODE,
            about_label=outgoing.about._meta.label_lower,
            about_id=str(outgoing.about.pk),
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
    """Whether the worker has anything to do: a message to send, or one to drop. Reads only."""
    waiting = OutboxMessage.objects.waiting()
    return waiting.filter(models.Q(next_try_at__lte=now) | models.Q(deadline_at__lte=now)).exists()


def drop_late_messages(*, now: datetime) -> int:
    """Drop the messages whose deadline has passed, and return how many."""
    late = OutboxMessage.objects.waiting().filter(deadline_at__lte=now)
    return late.update(dropped_at=now, drop_reason=DEADLINE_PASSED)


def longest_send() -> timedelta:
    """Return how long one message can take: each answer just within EMAIL_TIMEOUT seconds."""
    return MOST_ANSWERS * timedelta(seconds=settings.EMAIL_TIMEOUT)


def lease() -> timedelta:
    """Return how long a claimed message is nobody else's; then others take over from the dead."""
    return longest_send() + TIME_FOR_THE_OTHERS


def claim_messages(*, now: datetime, limit: int) -> list[OutboxMessage]:
    """Take up to `limit` due messages for this worker alone, the longest waiting first.

    Those of many come after all others: nobody waits for a code behind ten thousand invitations.

    The claim is a lease: `next_try_at` moves `lease()` ahead and the try is counted before anything
    is sent, so a worker that dies leaves its messages to the others. Two workers never claim the
    same message: rows that another is claiming are skipped (SQLite has one writer at a time).
    """
    lease_until = now + lease()
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
    """Give back claimed messages that were not tried; their try is not counted."""
    for lease_until in {message.next_try_at for message in messages}:
        OutboxMessage.objects.waiting().filter(
            pk__in=[message.pk for message in messages], next_try_at=lease_until
        ).update(next_try_at=now, tries=models.F("tries") - 1)


def mark_sent(*, message: OutboxMessage, now: datetime) -> None:
    """Note that the mail server has taken the message."""
    _waiting(message).update(sent_at=now, last_error="")


def mark_dropped(*, message: OutboxMessage, reason: str, now: datetime) -> None:
    """Note that the message has lost its purpose and is not sent."""
    _waiting(message).update(dropped_at=now, drop_reason=reason[:80] or "stale")


def mark_dead(*, message: OutboxMessage, error: str, now: datetime) -> None:
    """Note that the message can never be delivered; it is not tried again."""
    _waiting(message).update(dead_at=now, last_error=error[:200])


def put_off(*, message: OutboxMessage, error: str, now: datetime) -> datetime:
    """Plan the next try of a message that failed for now, and return its moment.

    The wait doubles with each try from one minute to one hour, and varies by a quarter so that
    the messages of one outage do not come back together.
    """
    factor = float(2 ** min(max(message.tries - 1, 0), 10)) * random.uniform(1, 1.25)  # noqa: S311 - no secret
    next_try_at = now + min(SHORTEST_WAIT * factor, LONGEST_WAIT)
    _waiting(message).update(next_try_at=next_try_at, last_error=error[:200])
    return next_try_at


def _waiting(message: OutboxMessage) -> "models.QuerySet[OutboxMessage]":
    return OutboxMessage.objects.waiting().filter(pk=message.pk)


def is_delayed(*, now: datetime) -> bool:
    """Whether a message has been waiting for its first or next try for five minutes or more."""
    late = now - timedelta(minutes=5)
    return OutboxMessage.objects.waiting().filter(next_try_at__lte=late).exists()


def revive_message(*, message: OutboxMessage, by: AbstractBaseUser, now: datetime) -> OutboxMessage:
    """Let the worker try a dead message again, with the same Message-ID and a new deadline.

    Raises Refused(OutboxProblem.NOT_DEAD) for any other.
    """
    with transaction.atomic():
        locked = OutboxMessage.objects.select_for_update().get(pk=message.pk)
        if locked.dead_at is None:
            raise Refused(OutboxProblem.NOT_DEAD)
        before = {"dead_at": locked.dead_at, "tries": locked.tries}
        locked.dead_at, locked.tries = None, 0
        locked.next_try_at, locked.deadline_at = now, max(locked.deadline_at, now + DEADLINE)
        locked.save(update_fields=["dead_at", "tries", "next_try_at", "deadline_at"])
        record_audit_event(
            action="message.revived",
            about=locked,
            by=by,
            now=now,
            before=before,
            # What the worker goes on to change is not what the trail can say last.
            after={"deadline_at": locked.deadline_at},
        )
    return locked
