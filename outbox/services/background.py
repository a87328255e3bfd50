"""Long work that the worker does beside sending: each app names its own in the settings."""

import json
import logging
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils.module_loading import import_string

logger = logging.getLogger(__name__)
DATABASE_AWAY = (OperationalError, InterfaceError)


class Background:
    """Does what waits, piece by piece; a mistake in one work stops neither mails nor the others."""

    def __init__(self) -> None:
        self._failing: dict[str, str] = {}

    def work(self, *, now: datetime) -> int:
        """Do a piece of each work that waits, and return how much was done; 0: nothing waits.

        `BACKGROUND_WORK` names functions that take the moment, do what fits into about a second,
        each in transactions of its own, and return how many rows they have dealt with. One that
        fails is logged, once until it works again or fails otherwise, and tried again at the next
        call. Raises only when the database is away.
        """
        return sum(self._do(name, import_string(name), now) for name in settings.BACKGROUND_WORK)

    def _do(self, name: str, work: Callable[..., int], now: datetime) -> int:
        try:
            done = work(now=now)
        except DATABASE_AWAY:
            raise
        except Exception as mistake:
            error = type(mistake).__name__
            if self._failing.get(name) != error:
                logger.error(
                    json.dumps({"event": "background.failed", "work": name, "error": error}),
                    exc_info=mistake,
                )
            self._failing[name] = error
            return 0
        self._failing.pop(name, None)
        return done
