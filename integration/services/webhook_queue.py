"""What is sent to webhook endpoints next, and what came of it."""

import json
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet

from accounts.models import User
from integration.enums import DeliveryError, DeliveryStatus, DisabledReason
from integration.models import WebhookDelivery, WebhookEndpoint, WebhookEndpointQuerySet
from integration.services.endpoints import disable
from integration.services.posting import Outcome
from outbox.models import Event
from outbox.services.queue import OutgoingMessage, enqueue_messages
from partners.enums import EventKind, PartnerRole
from web.retention import delete_some
from web.transactions import whole_transaction

# How long no other worker takes what this one sends: longer than a look-up and a POST can last.
LEASE = timedelta(minutes=1)
WAITS = [
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
]
LONGEST_WAIT = timedelta(hours=12)
GIVEN_UP_AFTER = timedelta(days=3)
TOLD_AFTER = timedelta(hours=1)
SLOW_MILLISECONDS = 2_000
_TOLD_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Job:
    """An event to send to an endpoint until `lease`; `once` is the replay or test, if it is one."""

    endpoint: WebhookEndpoint
    event: Event
    attempt: int
    lease: datetime
    once: WebhookDelivery | None = None

    @property
    def message_id(self) -> str:
        """Return what all tries of an event have in common."""
        return str(self.event.pk)


def body_of(event: Event) -> str:
    """Return the event as the feed of the API shows it."""
    content = {
        "id": str(event.pk),
        "type": event.kind,
        "timestamp": event.occurred_at.isoformat().replace("+00:00", "Z"),
        "data": event.data,
    }
    return json.dumps(content, separators=(",", ":"))


def claim_jobs(*, now: datetime, limit: int, slow_limit: int) -> list[Job]:
    """Return what to send now, of each endpoint its next event, for no other worker to take.

    At most `limit` in all, of which `slow_limit` to endpoints that failed or were slow.
    """
    due, once = _due(now), _due_once(now)
    if not due.exists() and not once.exists():
        return []
    jobs: list[Job] = []
    for is_slow in (False, True):
        most = min(limit, len(jobs) + slow_limit) if is_slow else limit
        if len(jobs) < most:
            rows = once.filter(endpoint__is_slow=is_slow)
            jobs += _claim_once(rows, now, most - len(jobs))
        if len(jobs) < most:
            jobs += _claim(due.filter(is_slow=is_slow), now, most - len(jobs))
    return jobs


def note_outcome(*, job: Job, outcome: Outcome, now: datetime) -> None:
    """Store what came of it, and when the endpoint is tried again."""
    if job.once is None:
        _note(job, outcome, now)
    else:
        _note_once(job, job.once, outcome, now)


@whole_transaction
def tell_of_failing_endpoints(*, now: datetime) -> int:
    """Tell the administrators of endpoints that have failed for an hour; return of how many."""
    failing = WebhookEndpoint.objects.on().filter(
        failing_since__lte=now - TOLD_AFTER, failure_told_at__isnull=True
    )
    if not failing.exists():
        return 0
    with transaction.atomic():
        locked = list(failing.select_for_update(skip_locked=True)[:_TOLD_AT_ONCE])
        for endpoint in locked:
            endpoint.failure_told_at = now
            endpoint.save(update_fields=["failure_told_at"])
            _tell("integration.endpoint_failing", endpoint, now)
    return len(locked)


def delete_old_deliveries(*, now: datetime) -> int:
    """Delete some of the log that is old; return how many."""
    end = now - settings.RETENTION["WEBHOOK_DELIVERIES"]
    old = WebhookDelivery.objects.filter(created_at__lte=end)
    return delete_some(old.exclude(status=DeliveryStatus.WAITING).order_by("created_at"))


def wait_after(*, tries: int) -> timedelta:
    """Return how long to wait after so many failed tries, up to a tenth more."""
    wait = WAITS[tries - 1] if tries <= len(WAITS) else LONGEST_WAIT
    return wait * random.uniform(1, 1.1)  # noqa: S311 - no secret


def _due(now: datetime) -> WebhookEndpointQuerySet:
    unread = Event.objects.filter(
        partner_id=OuterRef("partner_id"), position__gt=OuterRef("position")
    )
    due = WebhookEndpoint.objects.on().filter(next_try_at__lte=now)
    return due.filter(Exists(unread)).order_by("next_try_at")


def _due_once(now: datetime) -> "QuerySet[WebhookDelivery]":
    waiting = WebhookDelivery.objects.filter(status=DeliveryStatus.WAITING, next_try_at__lte=now)
    return waiting.order_by("next_try_at")


@whole_transaction
def _claim(due: WebhookEndpointQuerySet, now: datetime, limit: int) -> list[Job]:
    jobs = []
    with transaction.atomic():
        for endpoint in due.select_for_update(skip_locked=True)[:limit]:
            event = _next_event(endpoint)
            if event is not None:
                endpoint.next_try_at = now + LEASE
                attempt = endpoint.failed_tries + 1
                jobs.append(Job(endpoint, event, attempt, endpoint.next_try_at))
            endpoint.save(update_fields=["position", "next_try_at"])
    return jobs


def _next_event(endpoint: WebhookEndpoint) -> Event | None:
    """Return the next event that the endpoint wants; if there is none, pass all of them."""
    own = Event.objects.filter(partner_id=endpoint.partner_id)
    # Before the search: what gets its position meanwhile must not be passed.
    last = own.aggregate(last=Max("position"))["last"]
    wanted = own.after(endpoint.position).exclude(kind=EventKind.ENDPOINT_TEST)
    if endpoint.event_types:
        wanted = wanted.filter(kind__in=endpoint.event_types)
    event: Event | None = wanted.first()
    if event is None:
        endpoint.position = max(endpoint.position, last or 0)
    return event


@whole_transaction
def _claim_once(once: "QuerySet[WebhookDelivery]", now: datetime, limit: int) -> list[Job]:
    jobs = []
    with transaction.atomic():
        due = once.select_related("endpoint")
        rows = list(due.select_for_update(skip_locked=True, of=("self",))[:limit])
        events = Event.objects.in_bulk([row.event_id for row in rows])
        for row in rows:
            event = events.get(row.event_id)
            if event is None:
                row.delete()
                continue
            row.next_try_at = now + LEASE
            row.save(update_fields=["next_try_at"])
            jobs.append(Job(row.endpoint, event, row.attempt, row.next_try_at, row))
    return jobs


@whole_transaction
def _note(job: Job, outcome: Outcome, now: datetime) -> None:
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update().filter(pk=job.endpoint.pk).first()
        if endpoint is None:
            return
        if _is_of_its_url(job, endpoint):
            _note_answer(job, endpoint, outcome, now)
        WebhookDelivery.objects.create(
            endpoint=endpoint,
            event_id=job.event.pk,
            event_kind=job.event.kind,
            attempt=job.attempt,
            created_at=now,
            next_try_at=endpoint.next_try_at if outcome.error else None,
            **_result(outcome, now),
        )
        if _is_of_its_url(job, endpoint):
            _disable_if_hopeless(endpoint, outcome, now)


@whole_transaction
def _note_once(job: Job, row: WebhookDelivery, outcome: Outcome, now: datetime) -> None:
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update().filter(pk=job.endpoint.pk).first()
        if endpoint is None:
            return
        WebhookDelivery.objects.filter(pk=row.pk).update(next_try_at=None, **_result(outcome, now))
        if outcome.error == DeliveryError.GONE and _is_of_its_url(job, endpoint):
            _disable_if_hopeless(endpoint, outcome, now)


def _is_of_its_url(job: Job, endpoint: WebhookEndpoint) -> bool:
    """Return whether the endpoint still has the URL to which this was sent."""
    return job.endpoint.url == endpoint.url


def _note_answer(job: Job, endpoint: WebhookEndpoint, outcome: Outcome, now: datetime) -> None:
    # False when it took so long that another worker has taken the endpoint.
    is_ours = endpoint.next_try_at == job.lease
    endpoint.is_slow = _is_slow(outcome)
    if outcome.error is None:
        _note_success(endpoint, job.event)
    elif is_ours and endpoint.is_on:
        _note_failure(endpoint, now)
    if outcome.error is None and is_ours:
        endpoint.next_try_at = now
    endpoint.save()


def _note_success(endpoint: WebhookEndpoint, event: Event) -> None:
    endpoint.position = max(endpoint.position, event.position or 0)
    endpoint.failed_tries = 0
    endpoint.failing_since = endpoint.failure_told_at = None


def _note_failure(endpoint: WebhookEndpoint, now: datetime) -> None:
    endpoint.failed_tries += 1
    endpoint.failing_since = endpoint.failing_since or now
    last_try_at = endpoint.failing_since + GIVEN_UP_AFTER
    endpoint.next_try_at = min(now + wait_after(tries=endpoint.failed_tries), last_try_at)


def _disable_if_hopeless(endpoint: WebhookEndpoint, outcome: Outcome, now: datetime) -> None:
    since = endpoint.failing_since
    is_hopeless = since is not None and now >= since + GIVEN_UP_AFTER
    if not endpoint.is_on or not (is_hopeless or outcome.error == DeliveryError.GONE):
        return
    is_gone = outcome.error == DeliveryError.GONE
    reason = DisabledReason.GONE if is_gone else DisabledReason.FAILING
    disable(endpoint, reason, by=None, now=now)
    _tell("integration.endpoint_disabled", endpoint, now)


def _is_slow(outcome: Outcome) -> bool:
    return outcome.error is not None or outcome.milliseconds > SLOW_MILLISECONDS


def _result(outcome: Outcome, now: datetime) -> dict[str, object]:
    return {
        "status": DeliveryStatus.FAILED if outcome.error else DeliveryStatus.DELIVERED,
        "status_code": outcome.status_code,
        "milliseconds": outcome.milliseconds,
        "error": outcome.error or "",
        "sent_at": now,
    }


def _tell(kind: str, endpoint: WebhookEndpoint, now: datetime) -> None:
    administrators = User.objects.filter(
        partner_member__partner=endpoint.partner_id,
        partner_member__role=PartnerRole.ADMINISTRATOR,
        is_active=True,
    )
    messages = [
        OutgoingMessage(kind, user.email, endpoint, user.language)
        for user in administrators.order_by("pk")
    ]
    enqueue_messages(messages=messages, now=now)
