"""Promising messages: rows written in the transaction of the act, sent by the worker later."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models

from accounts.models import OutboxMessage

DEADLINE = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Promise:
    """One message to be sent: who gets which text, about which object, in which language."""

    kind: str
    to: str
    about: models.Model
    language: str
    data: Mapping[str, Any] = field(default_factory=dict)
    deadline_at: datetime | None = None


def enqueue_messages(*, promises: Sequence[Promise], now: datetime) -> list[OutboxMessage]:
    """Write the promised messages, in one statement; the worker sends them after the commit.

    `kind` is "app.name", rendered at sending time by that function of the app's `messages` module.
    `data` must hold no secret. A message that is not sent by its deadline (three days unless
    said) is dropped. Call it inside the transaction of the act.
    """
    host = urlsplit(settings.PUBLIC_BASE_URL).hostname
    return OutboxMessage.objects.bulk_create(
        OutboxMessage(
            kind=promise.kind,
            recipient=promise.to,
            language=promise.language or settings.LANGUAGE_CODE,
            about_label=promise.about._meta.label_lower,
            about_id=str(promise.about.pk),
            data=dict(promise.data),
            message_id=f"<{secrets.token_hex(16)}@{host}>",
            created_at=now,
            deadline_at=promise.deadline_at or now + DEADLINE,
            next_try_at=now,
        )
        for promise in promises
    )
