"""The admin's pages of keys, webhooks and connected log-ins: states in words, links both ways."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ConnectedLogin
from audit.services import record_audit_event
from integration.models import WebhookEndpoint
from tests.factories import PartnerFactory, UserFactory
from tests.integration.calls import make_provider_key
from tests.integration.webhooks import make_delivery

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def client():
    client = Client()
    client.force_login(UserFactory.create(staff=True))
    return client


def page_of(obj):
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


def section(client, obj, title):
    sections = client.get(page_of(obj)).context["sections"]
    [found] = [one for one in sections if str(one.title) == title]
    return found


def test_endpoint_leads_to_its_deliveries_and_a_delivery_to_its_event(client):
    delivery = make_delivery(PartnerFactory.create())
    found = section(client, delivery.endpoint, "Webhook deliveries")

    assert [line.url for line in found.lines] == [page_of(delivery)]
    assert [str(text) for text in found.lines[0].details][:2] == ["failed", "no answer in time"]
    shown = client.get(found.all_url).context["cl"].result_list
    assert list(shown) == [delivery]
    event = reverse("admin:outbox_event_change", args=[delivery.event_id])
    assert f'<a href="{event}">' in client.get(page_of(delivery)).content.decode()


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({}, "on"),
        ({"failing_since": NOW, "failed_tries": 1}, "on, and fails"),
        ({"disabled_at": NOW, "disabled_reason": "turned_off"}, "off"),
    ],
)
def test_endpoint_says_its_state_and_that_it_gets_all_kinds(client, values, state):
    endpoint = make_delivery(PartnerFactory.create()).endpoint
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(**values)
    page = client.get(page_of(endpoint)).content.decode()

    assert f'<div class="readonly">{state}</div>' in page
    assert '<div class="readonly">all</div>' in page


def test_key_shows_what_was_done_with_it(client):
    api_key, _secret = make_provider_key()
    partner = PartnerFactory.create()
    record_audit_event(action="partner.seen", about=partner, by=api_key.user, now=timezone.now())
    found = section(client, api_key, "What was done with it")

    assert [line.text for line in found.lines] == ["partner.seen"]


def test_user_shows_connected_log_ins(client):
    user = UserFactory.create()
    login = ConnectedLogin.objects.create(
        user=user, issuer="https://id.example", subject="7", connected_at=timezone.now()
    )
    found = section(client, user, "Connected log-ins")

    assert [line.url for line in found.lines] == [page_of(login)]
    assert list(client.get(found.all_url).context["cl"].result_list) == [login]
