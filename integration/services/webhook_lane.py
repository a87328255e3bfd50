"""The worker's lane of webhooks: many at a time, so that a slow receiver delays no other."""

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime

from django.utils import timezone

from integration.enums import DeliveryError
from integration.services.posting import Outcome, post
from integration.services.sealing import SealedUnreadable
from integration.services.signatures import signature_headers
from integration.services.webhook_queue import Job, body_of, claim_jobs, note_outcome
from web.logs import Event

logger = logging.getLogger(__name__)
PLACES = 16
# Endpoints that fail or are slow never take more, so that the others find one.
PLACES_OF_SLOW = 8
PATIENCE_SECONDS = 1.0
FINISH_SECONDS = 5.0
USER_AGENT = "Partner-Association-Webhooks/1"


class WebhookLane:
    """Sends webhooks in threads of their own; the thread that calls it talks to the database."""

    def __init__(self, *, clock: Callable[[], datetime] = timezone.now) -> None:
        self._clock = clock
        self._sending: list[Job] = []
        self._results: queue.SimpleQueue[tuple[Job, Outcome]] = queue.SimpleQueue()
        self._unnoted: deque[tuple[Job, Outcome]] = deque()

    def work(self) -> int:
        """Send what may be sent, and note what came of it; return how many were on their way.

        Waits up to a second for an answer. What it could not note, because the database was away,
        is noted at the next call.
        """
        self._start()
        busy = len(self._sending)
        if busy:
            self._note_results(PATIENCE_SECONDS)
        return busy

    def finish(self) -> None:
        """Note what comes within some seconds; what does not is sent again after its lease."""
        end = time.monotonic() + FINISH_SECONDS
        while self._sending and (left := end - time.monotonic()) > 0:
            self._note_results(left)

    def _start(self) -> None:
        slow = sum(job.endpoint.is_slow for job in self._sending)
        places = PLACES - len(self._sending)
        if places <= 0:
            return
        jobs = claim_jobs(now=self._clock(), limit=places, slow_limit=PLACES_OF_SLOW - slow)
        for job in jobs:
            self._sending.append(job)
            threading.Thread(target=self._send, args=[job, self._clock()], daemon=True).start()

    def _send(self, job: Job, now: datetime) -> None:
        try:
            outcome = send(job, now=now)
        except Exception as error:
            failed = Event(event="webhook.failed", endpoint=job.endpoint.pk)
            logger.error(failed, exc_info=error)
            outcome = Outcome(0, error=DeliveryError.INTERNAL)
        self._results.put((job, outcome))

    def _note_results(self, patience: float) -> None:
        if not self._unnoted:
            try:
                self._unnoted.append(self._results.get(timeout=patience))
            except queue.Empty:
                return
        while not self._results.empty():
            self._unnoted.append(self._results.get())
        while self._unnoted:
            job, outcome = self._unnoted[0]
            note_outcome(job=job, outcome=outcome, now=self._clock())
            self._unnoted.popleft()
            self._sending.remove(job)


def send(job: Job, *, now: datetime) -> Outcome:
    """Sign the event and POST it; reads and writes no database."""
    body = body_of(job.event)
    try:
        signed = signature_headers(job.endpoint, message_id=job.message_id, body=body, now=now)
    except SealedUnreadable:
        return Outcome(0, error=DeliveryError.SECRET_UNREADABLE)
    headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT, **signed}
    return post(job.endpoint.url, body=body.encode(), headers=headers)
