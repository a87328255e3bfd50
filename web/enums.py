"""The codes of limits."""

from enum import StrEnum


class LimitRefusal(StrEnum):
    TRIED_TOO_OFTEN = "tried_too_often"
