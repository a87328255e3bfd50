"""Webhook endpoints as their partner's administrators and programs manage them."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet

from accounts.models import User
from audit.services import record_audit_event
from integration.enums import DeliveryStatus, DisabledReason, EndpointRefusal
from integration.models import WebhookDelivery, WebhookEndpoint
from integration.services.addresses import read_url
from integration.services.sealing import seal
from integration.services.signatures import new_secret
from outbox.models import Event, EventCounter
from outbox.services.events import publish
from partners.enums import EventKind
from partners.models import Partner
from web.refused import Refused
from web.shown_versions import ShownVersion, check_shown
from web.transactions import whole_transaction

MOST_ENDPOINTS = 10
# How long a receiver has to learn the new secret.
ROTATION = timedelta(hours=24)
# Tests and replays that wait; each is a request to somebody else's server.
MOST_WAITING = 10


@whole_transaction
def create_endpoint(
    *,
    partner: Partner,
    url: str,
    description: str = "",
    event_types: Collection[EventKind] = (),
    by: User,
    now: datetime,
) -> tuple[WebhookEndpoint, str]:
    """Make an endpoint, and return it with its secret. It gets the events from now on.

    Locks the partner. Raises Refused: TOO_MANY_ENDPOINTS, or the URL's UrlRefusal.
    """
    read_url(url)
    secret = new_secret()
    with transaction.atomic():
        locked = Partner.objects.select_for_update(no_key=True).get(pk=partner.pk)
        if WebhookEndpoint.objects.filter(partner=locked).count() >= MOST_ENDPOINTS:
            raise Refused(EndpointRefusal.TOO_MANY_ENDPOINTS)
        counter = EventCounter.objects.first()
        endpoint = WebhookEndpoint.objects.create(
            partner=locked,
            url=url,
            description=description,
            event_types=sorted(event_types),
            sealed_secret=seal(secret),
            position=counter.last_position if counter else 0,
            next_try_at=now,
            created_at=now,
            created_by=by,
        )
        after = {"partner": locked.pk, **terms_of(endpoint), "disabled_at": None}
        record_audit_event(action="endpoint.created", about=endpoint, by=by, now=now, after=after)
    return endpoint, secret


@whole_transaction
def change_endpoint(
    *,
    endpoint: WebhookEndpoint,
    changes: Mapping[str, Any],
    by: User,
    now: datetime,
    shown_version: ShownVersion | None = None,
) -> WebhookEndpoint:
    """Give these terms, of `terms_of()`, the values; the others stay as they are.

    A new URL is tried at once, and what the former one answers from now on means nothing for it.
    Raises Refused: NO_LONGER_THERE, or the URL's UrlRefusal; and ChangedMeanwhile if the version is
    not that of the same terms.
    """
    if "url" in changes:
        read_url(changes["url"])
    with transaction.atomic():
        locked = _lock(endpoint)
        before = {name: terms_of(locked)[name] for name in changes}
        for name, value in changes.items():
            setattr(locked, name, sorted(value) if name == "event_types" else value)
        after = {name: terms_of(locked)[name] for name in changes}
        changed = [name for name in after if after[name] != before[name]]
        if not changed:
            return locked
        check_shown(shown_version, before, about=locked)
        if "url" in changed:
            locked.failed_tries, locked.is_slow, locked.next_try_at = 0, False, now
            locked.failing_since = locked.failure_told_at = None
        locked.save()
        record_audit_event(
            action="endpoint.changed",
            about=locked,
            by=by,
            now=now,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
    return locked


@whole_transaction
def rotate_secret(*, endpoint: WebhookEndpoint, by: User, now: datetime) -> str:
    """Return a new secret; for 24 hours webhooks carry signatures of it and of the former one."""
    secret = new_secret()
    with transaction.atomic():
        locked = _lock(endpoint)
        locked.sealed_former_secret = locked.sealed_secret
        locked.former_secret_ends_at = now + ROTATION
        locked.sealed_secret = seal(secret)
        locked.save(
            update_fields=["sealed_former_secret", "former_secret_ends_at", "sealed_secret"]
        )
        after = {"former_secret_ends_at": locked.former_secret_ends_at}
        record_audit_event(
            action="endpoint.secret_rotated", about=locked, by=by, now=now, after=after
        )
    return secret


@whole_transaction
def turn_off(*, endpoint: WebhookEndpoint, by: User, now: datetime) -> WebhookEndpoint:
    """Send nothing until it is turned on again; a second time does nothing."""
    with transaction.atomic():
        locked = _lock(endpoint)
        if locked.is_on:
            disable(locked, DisabledReason.TURNED_OFF, by=by, now=now)
    return locked


@whole_transaction
def turn_on(*, endpoint: WebhookEndpoint, by: User, now: datetime) -> WebhookEndpoint:
    """Send what the endpoint has missed, at once and in order. A failing one is tried again now."""
    with transaction.atomic():
        locked = _lock(endpoint)
        disabled_at = locked.disabled_at
        if disabled_at is None and locked.failing_since is None:
            return locked
        locked.disabled_at, locked.disabled_reason = None, ""
        locked.failing_since = locked.failure_told_at = None
        locked.failed_tries = 0
        locked.next_try_at = now
        locked.save()
        record_audit_event(
            action="endpoint.turned_on",
            about=locked,
            by=by,
            now=now,
            before={"disabled_at": disabled_at},
            after={"disabled_at": None},
        )
    return locked


@whole_transaction
def delete_endpoint(*, endpoint: WebhookEndpoint, by: User, now: datetime) -> None:
    """Delete the endpoint with its log; a second time does nothing."""
    with transaction.atomic():
        locked = WebhookEndpoint.objects.select_for_update().filter(pk=endpoint.pk).first()
        if locked is None:
            return
        before = terms_of(locked)
        record_audit_event(action="endpoint.deleted", about=locked, by=by, now=now, before=before)
        locked.delete()


@whole_transaction
def send_test(*, endpoint: WebhookEndpoint, now: datetime) -> WebhookDelivery:
    """Publish a test event, and send it to this endpoint once, also while it is off.

    Raises Refused: NO_LONGER_THERE, TOO_MANY_WAITING.
    """
    with transaction.atomic():
        locked = _lock(endpoint)
        event = publish(
            kind=EventKind.ENDPOINT_TEST,
            about=locked,
            partner_id=locked.partner_id,
            data={"endpoint_id": str(locked.pk)},
            now=now,
        )
        return _send_once(locked, event.pk, event.kind, now=now)


def deliveries_of(partner: Partner) -> QuerySet[WebhookDelivery]:
    """Return the deliveries to all endpoints of the partner, with their endpoints."""
    return WebhookDelivery.objects.filter(endpoint__partner=partner).select_related("endpoint")


@whole_transaction
def replay_delivery(*, delivery: WebhookDelivery, now: datetime) -> WebhookDelivery:
    """Send the event of this delivery once more, beside the order, also while the endpoint is off.

    Raises Refused: NO_LONGER_THERE, EVENT_GONE, TOO_MANY_WAITING.
    """
    with transaction.atomic():
        locked = _lock(delivery.endpoint)
        if not Event.objects.filter(pk=delivery.event_id).exists():
            raise Refused(EndpointRefusal.EVENT_GONE)
        return _send_once(locked, delivery.event_id, delivery.event_kind, now=now)


def disable(
    locked: WebhookEndpoint, reason: DisabledReason, *, by: User | None, now: datetime
) -> None:
    """Turn off an endpoint that the caller has locked."""
    locked.disabled_at, locked.disabled_reason = now, reason
    locked.save(update_fields=["disabled_at", "disabled_reason"])
    record_audit_event(
        action="endpoint.turned_off",
        about=locked,
        by=by,
        now=now,
        before={"disabled_at": None},
        after={"disabled_at": now, "disabled_reason": reason.value},
    )


def _send_once(
    locked: WebhookEndpoint, event_id: int, kind: str, *, now: datetime
) -> WebhookDelivery:
    if locked.deliveries.filter(status=DeliveryStatus.WAITING).count() >= MOST_WAITING:
        raise Refused(EndpointRefusal.TOO_MANY_WAITING)
    last = locked.deliveries.filter(event_id=event_id).aggregate(last=Max("attempt"))["last"]
    return WebhookDelivery.objects.create(
        endpoint=locked,
        event_id=event_id,
        event_kind=kind,
        attempt=(last or 0) + 1,
        status=DeliveryStatus.WAITING,
        next_try_at=now,
        created_at=now,
    )


def _lock(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    locked = WebhookEndpoint.objects.select_for_update().filter(pk=endpoint.pk).first()
    if locked is None:
        raise Refused(EndpointRefusal.NO_LONGER_THERE)
    return locked


def terms_of(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """Return what administrators decide about an endpoint."""
    return {
        "url": endpoint.url,
        "description": endpoint.description,
        "event_types": endpoint.event_types,
    }
