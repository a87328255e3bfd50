"""Long work that the worker does beside sending: each app names its own in the settings."""

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.utils.module_loading import import_string


def work_in_background(now: datetime) -> int:
    """Do a piece of each work that waits, and return how much was done; 0 means nothing waits.

    `BACKGROUND_WORK` names functions that take the moment, do what fits into about a second, each
    in transactions of its own, and return how many rows they have dealt with.
    """
    return sum(work(now=now) for work in _works())


def _works() -> list[Callable[..., int]]:
    return [import_string(name) for name in settings.BACKGROUND_WORK]
