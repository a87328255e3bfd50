"""Endpoints and events, and a lane that sends them, for tests of webhooks."""

from django.utils import timezone

from integration.enums import DeliveryError, DeliveryStatus
from integration.models import WebhookDelivery, WebhookEndpoint
from integration.services import endpoints
from integration.services.webhook_lane import WebhookLane
from outbox.models import Event
from outbox.services.events import NewEvent, number_events, publish_many
from partners.enums import EventKind
from tests.factories import PartnerMemberFactory


def make_endpoint(url="https://crm.example.com/hook", partner=None, **options):
    """Return an endpoint and its secret, made by an administrator."""
    members = {"partner": partner} if partner else {}
    boss = PartnerMemberFactory(administrator=True, **members)
    return endpoints.create_endpoint(
        partner=boss.partner, url=url, by=boss.user, now=timezone.now(), **options
    )


def make_delivery(partner):
    """Return a delivery that failed, of an endpoint of the partner."""
    endpoint, _secret = make_endpoint("https://crm.example.com/hook", partner)
    now = timezone.now()
    return WebhookDelivery.objects.create(
        endpoint=endpoint,
        event_id=int(publish(endpoint.partner)[0]),
        event_kind=EventKind.BUDGET_SET,
        attempt=1,
        status=DeliveryStatus.FAILED,
        error=DeliveryError.TIMEOUT,
        sent_at=now,
        created_at=now,
    )


def publish(partner, *kinds, now=None):
    """Publish events of these kinds (one if none is given), and return their ids in the feed."""
    moment = now or timezone.now()
    new = [
        NewEvent(kind, partner, partner.pk, {"reference": "é-7"})
        for kind in kinds or [EventKind.BUDGET_SET]
    ]
    made = publish_many(events=new, now=moment)
    while number_events(now=moment):
        pass
    found = Event.objects.filter(pk__in=[row.pk for row in made]).order_by("position")
    return [str(row.pk) for row in found]


def work_until_idle(*, now=None):
    """Let a worker's lane send everything that may be sent at this moment."""
    lane = WebhookLane(clock=lambda: now) if now else WebhookLane()
    rounds = 0
    while lane.work():
        rounds += 1
        assert rounds < 1_000
    return rounds


def log_of(endpoint):
    rows = endpoint.deliveries.order_by("sent_at", "attempt", "pk")
    return [(str(row.event_id), row.attempt, row.status_code, row.error) for row in rows]


def reload(endpoint):
    return WebhookEndpoint.objects.get(pk=endpoint.pk)
