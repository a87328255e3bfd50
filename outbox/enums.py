"""The codes of the outbox."""

from enum import StrEnum


class OutboxProblem(StrEnum):
    """Why an e-mail cannot be changed."""

    NOT_DEAD = "not_dead"
