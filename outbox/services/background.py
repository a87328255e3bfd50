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
# How long it waits after an error: what it deletes must not stay much longer than documented.
PAUSE_AFTER_ERROR = timedelta(minutes=1)
# How often an error that goes on is logged.
LOGGED_EVERY = timedelta(hours=1)


def is_all_done(*, now: datetime) -> bool:
    """Return whether no background work is unfinished and no e-mail waits, here or elsewhere.

    E-mails are looked for last: finishing a batch enqueues some.
    """
    unfinished = any(import_string(name)(now=now) for name in settings.UNFINISHED_WORK)
    return not unfinished and not OutboxMessage.objects.waiting().exists()


class Background:
    """Runs the background work; an error in one function stops neither e-mails nor the others."""

    def __init__(self) -> None:
        # The name of the last error of each function that fails, and when it was logged.
        self._failing: dict[str, tuple[str, datetime]] = {}
        self._rests_until: dict[str, datetime] = {}

    def work(self, *, now: datetime) -> int:
        """Run each function of both settings once and return how many rows they processed.

        Those of `RETENTION_WORK` rest for an hour when they find nothing, and for a minute after an
        error. Each function takes the moment, works for about a second in its own transactions, and
        returns how many rows it processed; 0 means that nothing waits. An error is logged once an
        hour, until the function works again or fails otherwise. Raises only when the database is
        away.
        """
        names = [*settings.BACKGROUND_WORK, *filter(self._is_due(now), settings.RETENTION_WORK)]
        done = {name: self._do(name, import_string(name), now) for name in names}
        for name in settings.RETENTION_WORK:
            if name in done and not done[name]:
                rest = PAUSE_AFTER_ERROR if name in self._failing else REST
                self._rests_until[name] = now + rest
        return sum(done.values())

    def _is_due(self, now: datetime) -> Callable[[str], bool]:
        return lambda name: self._rests_until.get(name, now) <= now

    def _do(self, name: str, work: Callable[..., int], now: datetime) -> int:
        try:
            done = work(now=now)
        except DATABASE_AWAY:
            raise
        except Exception as error:
            if self._is_to_be_logged(name, error, now):
                failed = Event(event="background.failed", work=name, error=type(error).__name__)
                logger.error(failed, exc_info=error)
            return 0
        self._failing.pop(name, None)
        return done

    def _is_to_be_logged(self, name: str, error: Exception, now: datetime) -> bool:
        """Note the error; return False if the same one was logged within the hour."""
        error_name = type(error).__name__
        logged_name, logged_at = self._failing.get(name, ("", now))
        if logged_name == error_name and now - logged_at < LOGGED_EVERY:
            return False
        self._failing[name] = (error_name, now)
        return True
