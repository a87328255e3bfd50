"""Lanes of the worker: work that waits for systems of others, each lane in its own thread."""

import logging
import threading
from typing import Protocol

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.utils.module_loading import import_string

from web.logs import Event, log_event

logger = logging.getLogger(__name__)
POLL_SECONDS = 1.0
# How long to wait before the next try after an error.
PAUSE_SECONDS = 3.0
# A little longer than a lane may take to finish.
JOIN_SECONDS = 7.0


class Lane(Protocol):
    """What `WORKER_LANES` names."""

    def work(self) -> int:
        """Do a piece of work of up to about a second; return 0 if there is nothing to do."""

    def finish(self) -> None:
        """End within some seconds what has begun."""


class Lanes:
    """The lanes of one worker; an error in one stops neither the worker nor the others."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._lanes: list[Lane] = [import_string(name)() for name in settings.WORKER_LANES]
        self._threads: list[threading.Thread] = []

    def work(self) -> int:
        """Do a piece of each lane's work in this thread, for a worker that ends when all is done.

        Raises when the database is away.
        """
        return sum(lane.work() for lane in self._lanes)

    def start(self) -> None:
        for lane in self._lanes:
            thread = threading.Thread(target=self._run, args=[lane], daemon=True)
            thread.start()
            self._threads.append(thread)

    def join(self) -> None:
        """Wait until the threads have ended, which they do once the worker is to stop."""
        for thread in self._threads:
            thread.join(JOIN_SECONDS)

    def _run(self, lane: Lane) -> None:
        name, trouble = type(lane).__name__, ""
        try:
            while not self._stop.is_set():
                close_old_connections()
                before, trouble, pause = trouble, "", PAUSE_SECONDS
                try:
                    pause = 0 if lane.work() else POLL_SECONDS
                except (DatabaseError, InterfaceError) as away:
                    # Also when the worker starts before the tables exist.
                    trouble = f"database: {type(away).__name__}"
                except Exception as error:
                    trouble = type(error).__name__
                    if trouble != before:
                        failed = Event(event="lane.failed", lane=name, error=trouble)
                        logger.error(failed, exc_info=error)
                if trouble != before:
                    event = "lane.waiting" if trouble else "lane.resumed"
                    log_event(logger, event, lane=name, trouble=trouble)
                self._stop.wait(pause)
            lane.finish()
        finally:
            connection.close()
