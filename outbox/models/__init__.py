"""The outbox's models: e-mails, who does not want which, and events for other systems."""

from outbox.models.events import Event, EventCounter
from outbox.models.messages import (
    DEADLINE_PASSED,
    UNDELIVERED_AT,
    OutboxMessage,
    OutboxQuerySet,
    Suppression,
)

__all__ = [
    "DEADLINE_PASSED",
    "UNDELIVERED_AT",
    "Event",
    "EventCounter",
    "OutboxMessage",
    "OutboxQuerySet",
    "Suppression",
]
