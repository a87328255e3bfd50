"""The console's pages about webhooks."""

import html
import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from standardwebhooks import Webhook

from audit.models import AuditEvent
from integration.models import WebhookDelivery, WebhookEndpoint
from integration.services.endpoints import (
    MOST_ENDPOINTS,
    MOST_WAITING,
    change_endpoint,
    send_test,
)
from outbox.models import Event
from partners.enums import EventKind
from tests.factories import PartnerMemberFactory
from tests.integration.receivers import receiver
from tests.integration.webhooks import make_delivery, make_endpoint, reload, work_until_idle

pytestmark = pytest.mark.django_db
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{44}")
URL = "https://crm.example.com/hooks"


@pytest.fixture
def boss():
    return PartnerMemberFactory(administrator=True)


@pytest.fixture
def client(boss):
    client = Client()
    client.force_login(boss.user)
    return client


def page(name, *args):
    return reverse(f"console_{name}", args=args)


def text_of(response):
    return html.unescape(response.content.decode())


def test_new_endpoint_shows_its_secret_once(client, boss, settings):
    settings.DEMO = True
    with receiver() as server:
        terms = {"url": server.url, "description": "CRM", "event_types": ["budget.set"]}
        made = client.post(page("new_webhook"), terms)
        endpoint = WebhookEndpoint.objects.get()
        send_test(endpoint=endpoint, now=timezone.now())
        work_until_idle()
    [secret] = set(SECRET.findall(text_of(made)))
    [(headers, body)] = server.received
    later = text_of(client.get(page("webhook", endpoint.pk)))

    assert made.status_code == 200
    assert Webhook(secret).verify(body, headers)["type"] == "endpoint.test"
    assert (endpoint.partner, endpoint.created_by) == (boss.partner, boss.user)
    assert (endpoint.name, endpoint.event_types) == ("CRM", ["budget.set"])
    assert not SECRET.search(later)
    # The words, and the codes that a program reads.
    for words in ("Test of a webhook", "endpoint.test", "Budget set", "budget.set"):
        assert words in later


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "Enter an address."),
        ("http://crm.example.com/", "The address must begin with https://."),
        ("https://10.0.0.1/", "Enter a host that the whole internet can reach"),
        ("https://crm.example.com:22/", "The port must be 443"),
        ("https://name:word@crm.example.com/", "without a name or password"),
        ("https://crm.example.com/" + "a" * 500, "at most 500 characters"),
    ],
)
def test_bad_address_is_a_400_that_keeps_what_was_typed(client, url, sentence):
    answer = client.post(page("new_webhook"), {"url": url, "description": "My CRM"})
    assert answer.status_code == 400
    assert sentence in text_of(answer)
    assert "My CRM" in text_of(answer)
    assert not WebhookEndpoint.objects.exists()


def test_unknown_kind_of_event_is_a_400(client):
    answer = client.post(page("new_webhook"), {"url": URL, "event_types": ["endpoint.test"]})
    assert answer.status_code == 400


def test_endpoints_of_a_partner_are_limited(client, boss):
    for _ in range(MOST_ENDPOINTS):
        make_endpoint(URL, boss.partner)
    answer = client.post(page("new_webhook"), {"url": URL})
    assert answer.status_code == 409
    assert f"has {MOST_ENDPOINTS} endpoints" in text_of(answer)


def test_list_has_the_state_of_each_endpoint(client, boss):
    now = timezone.now()
    for fields in (
        {},
        {"failing_since": now, "failed_tries": 2},
        {"disabled_at": now, "disabled_reason": "gone"},
    ):
        endpoint, _secret = make_endpoint(URL, boss.partner)
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(**fields)
    make_endpoint("https://other.example.com/")
    shown = text_of(client.get(page("webhooks")))
    states = re.findall(r'class="status status-\w+">(\w+)<', shown)

    assert states == ["On", "Failing", "Off"]
    assert "it answered 410 (gone)" in shown
    assert "other.example.com" not in shown


def test_rotation_shows_another_secret_and_the_page_says_how_long_the_former_one_signs(
    client, boss
):
    endpoint, former = make_endpoint(URL, boss.partner)
    answer = client.post(page("rotate_webhook", endpoint.pk))
    [new] = set(SECRET.findall(text_of(answer)))
    assert new != former
    assert "signs too until" in text_of(client.get(page("webhook", endpoint.pk)))


def test_endpoint_is_turned_off_and_on(client, boss):
    endpoint, _secret = make_endpoint(URL, boss.partner)
    states = []
    for action in ("off", "off", "on", "on"):
        answer = client.post(page(f"turn_{action}_webhook", endpoint.pk))
        states.append((answer.status_code, reload(endpoint).disabled_reason))
    actions = AuditEvent.objects.filter(object_label="integration.webhookendpoint")

    assert states == [(303, "turned_off"), (303, "turned_off"), (303, ""), (303, "")]
    assert list(actions.order_by("pk").values_list("action", flat=True)) == [
        "endpoint.created",
        "endpoint.turned_off",
        "endpoint.turned_on",
    ]


def test_deleted_endpoint_is_gone_with_its_log_and_its_events_stay(client, boss):
    delivery = make_delivery(boss.partner)
    answer = client.post(page("delete_webhook", delivery.endpoint_id))
    assert (answer.status_code, answer["Location"]) == (303, page("webhooks"))
    assert not WebhookDelivery.objects.exists()
    assert Event.objects.filter(pk=delivery.event_id).exists()
    assert client.get(page("webhook", delivery.endpoint_id)).status_code == 404


def test_two_clicks_delete_an_endpoint_once(client, boss):
    endpoint, _secret = make_endpoint(partner=boss.partner)
    address, form = page("delete_webhook", endpoint.pk), {"form_key": "A" * 22}
    answers = [client.post(address, form) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert [answer["Location"] for answer in answers] == [page("webhooks")] * 2


def test_replay_waits_for_the_worker_and_twice_the_form_is_one_replay(client, boss):
    delivery = make_delivery(boss.partner)
    form = {"form_key": "A" * 22}
    address = page("replay_webhook", delivery.pk)
    answers = [client.post(address, form).status_code for _ in range(2)]
    waiting = WebhookDelivery.objects.filter(status="waiting")

    assert answers == [303, 303]
    assert list(waiting.values_list("event_id", "attempt")) == [(delivery.event_id, 2)]


def test_replay_of_an_event_that_is_no_longer_kept_is_refused(client, boss):
    delivery = make_delivery(boss.partner)
    Event._base_manager.filter(pk=delivery.event_id).delete()
    answer = client.post(page("replay_webhook", delivery.pk))
    assert answer.status_code == 409
    assert "This event is no longer kept" in text_of(answer)


def test_tests_that_wait_are_limited(client, boss):
    endpoint, _secret = make_endpoint(URL, boss.partner)
    answers = [
        client.post(page("test_webhook", endpoint.pk)).status_code for _ in range(MOST_WAITING + 1)
    ]
    assert answers == [303] * MOST_WAITING + [409]


def test_log_costs_the_same_statements_with_one_row_and_with_three(
    client, boss, django_assert_num_queries
):
    delivery = make_delivery(boss.partner)
    address = page("webhook", delivery.endpoint_id)
    client.get(address)
    for _ in range(2):
        with django_assert_num_queries(6):
            client.get(address)
        for _ in range(2):
            delivery.pk = None
            WebhookDelivery.objects.bulk_create([WebhookDelivery(**_copy(delivery))])


def _copy(delivery):
    names = [field.attname for field in WebhookDelivery._meta.fields if field.attname != "id"]
    return {name: getattr(delivery, name) for name in names}


def edited(client, endpoint, **typed):
    """Return the form's values, as the page of the endpoint has them, with what is typed."""
    form = client.get(page("edit_webhook", endpoint.pk)).context["form"]
    return {**form.initial, "shown_version": form.version_field.initial, **typed}


def test_endpoint_is_edited_and_keeps_its_secret_and_place(client, boss):
    endpoint, _secret = make_endpoint(URL, boss.partner, event_types=["budget.set"])
    kept = endpoint.sealed_secret, endpoint.position
    typed = edited(client, endpoint, url="https://new.example.com/h", event_types=[])
    answer = client.post(page("edit_webhook", endpoint.pk), typed)
    endpoint = reload(endpoint)

    assert (answer.status_code, answer["Location"]) == (303, page("webhook", endpoint.pk))
    assert (endpoint.url, endpoint.event_types) == ("https://new.example.com/h", [])
    assert (endpoint.sealed_secret, endpoint.position) == kept
    event = AuditEvent.objects.get(action="endpoint.changed")
    assert event.after == {"url": "https://new.example.com/h", "event_types": []}


def test_page_that_is_out_of_date_says_what_changed_and_keeps_what_was_typed(client, boss):
    endpoint, _secret = make_endpoint(URL, boss.partner)
    typed = edited(client, endpoint, description="CRM", event_types=[EventKind.BUDGET_SET])
    change_endpoint(
        endpoint=endpoint,
        changes={"event_types": [EventKind.BUDGET_SET, EventKind.ACCOUNT_FROZEN]},
        by=boss.user,
        now=timezone.now(),
    )
    old = client.post(page("edit_webhook", endpoint.pk), typed)
    names = f"{EventKind.ACCOUNT_FROZEN.label}, {EventKind.BUDGET_SET.label}"

    assert old.status_code == 409
    assert f"Now it is “{names}”." in text_of(old)
    assert 'value="CRM"' in text_of(old)
    assert reload(endpoint).description == ""


def test_address_that_is_refused_stays_typed(client, boss):
    endpoint, _secret = make_endpoint(URL, boss.partner)
    typed = edited(client, endpoint, url="https://10.0.0.1/")
    answer = client.post(page("edit_webhook", endpoint.pk), typed)
    assert answer.status_code == 400
    assert 'value="https://10.0.0.1/"' in text_of(answer)
    assert reload(endpoint).url == URL


@pytest.mark.parametrize("name", ["edit_webhook", "rotate_webhook", "delete_webhook"])
def test_pages_of_an_endpoint_lead_back_to_it(client, boss, name):
    endpoint, _secret = make_endpoint(URL, boss.partner, description="CRM")
    back = client.get(page(name, endpoint.pk)).context
    assert (back["back_url"], back["back_label"]) == (page("webhook", endpoint.pk), "CRM")
