"""The refusal codes of the outbox."""

from enum import StrEnum


class OutboxRefusal(StrEnum):
    NOT_DEAD = "not_dead"
    RECIPIENT_FORGOTTEN = "recipient_forgotten"
