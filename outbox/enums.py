"""The refusal codes of the outbox."""

from enum import StrEnum


class OutboxProblem(StrEnum):
    """Why an outbox message cannot be changed."""

    NOT_DEAD = "not_dead"
