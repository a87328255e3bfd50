"""Background work of the worker, beside sending e-mails."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils.module_loading import import_string

from outbox.models import OutboxMessage
from web.logs import Event

logger = logging.getLogger(__name__)
DATABASE_AWAY = (OperationalError, InterfaceError)
# How long retention work rests when it has found nothing.
REST = timedelta(hours=1)


def is_all_done(*, now: datetime) -> bool:
    """Return whether no background work is unfinished and no e-mail waits, here or elsewhere.

    E-mails are looked for last: finishing a batch enqueues some.
    """
    unfinished = any(import_string(name)(now=now) for name in settings.UNFINISHED_WORK)
    return not unfinished and not OutboxMessage.objects.waiting().exists()


class Background:
    """Runs the background work; an error in one function stops neither e-mails nor the others."""

    def __init__(self) -> None:
        self._failing: dict[str, str] = {}
        self._rests_until: dict[str, datetime] = {}

    def work(self, *, now: datetime) -> int:
        """Run each function of both settings once and return how many rows they processed.

        Those of `RETENTION_WORK` rest for an hour when they find nothing. Each function takes the
        moment, works for about a second in its own transactions, and returns how many rows it
        processed; 0 means that nothing waits. An error is logged once, until the function works
        again or fails otherwise. Raises only when the database is away.
        """
        names = [*settings.BACKGROUND_WORK, *filter(self._is_due(now), settings.RETENTION_WORK)]
        done = {name: self._do(name, import_string(name), now) for name in names}
        for name in settings.RETENTION_WORK:
            if done.get(name) == 0:
                self._rests_until[name] = now + REST
        return sum(done.values())

    def _is_due(self, now: datetime) -> Callable[[str], bool]:
        return lambda name: self._rests_until.get(name, now) <= now

    def _do(self, name: str, work: Callable[..., int], now: datetime) -> int:
        try:
            done = work(now=now)
        except DATABASE_AWAY:
            raise
        except Exception as error:
            error_name = type(error).__name__
            if self._failing.get(name) != error_name:
                failed = Event(event="background.failed", work=name, error=error_name)
                logger.error(failed, exc_info=error)
            self._failing[name] = error_name
            return 0
        self._failing.pop(name, None)
        return done
