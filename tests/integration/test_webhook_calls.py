"""Webhook endpoints by API."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integration.enums import DeliveryError
from integration.models import WebhookEndpoint
from integration.services.posting import Outcome
from integration.services.webhook_queue import claim_jobs, note_outcome
from tests.factories import PartnerFactory
from tests.integration.calls import Caller
from tests.integration.receivers import receiver
from tests.integration.test_webhooks import verifies
from tests.integration.webhooks import publish, work_until_idle

pytestmark = pytest.mark.django_db
URL = "https://crm.example.com/hooks"


@pytest.fixture
def caller():
    return Caller(PartnerFactory())


def test_endpoint_is_made_once_and_read_without_its_secret(caller):
    body = {"url": URL, "description": "CRM", "event_types": ["budget.set"]}
    made = [caller.post("/webhooks", body, Idempotency_Key="1").json() for _ in range(2)]
    shown = {name: value for name, value in made[0].items() if name != "secret"}

    assert made[0] == made[1]
    assert made[0]["secret"].startswith("whsec_")
    assert caller.get(f"/webhooks/{shown['id']}").json() == shown
    assert caller.get("/webhooks").json()["items"] == [shown]
    assert WebhookEndpoint.objects.get().created_by == caller.key.user


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"url": "http://crm.example.com/"}, "url", "url_not_https"),
        ({"url": "https://10.0.0.1/"}, "url", "url_host_not_public"),
        ({"url": "https://crm.example.com:25/"}, "url", "url_port_refused"),
        ({"url": "https://a@crm.example.com/"}, "url", "url_malformed"),
        ({"url": URL, "event_types": ["endpoint.test"]}, "event_types", "event_type"),
        ({"url": URL, "event_types": ["no.such"]}, "event_types.0", "enum"),
    ],
)
def test_bad_endpoint_is_a_422_that_names_the_field(caller, body, field, code):
    answer = caller.post("/webhooks", body)
    assert answer.status_code == 422
    assert [(row["field"], row["code"]) for row in answer.json()["fields"]] == [(field, code)]


@pytest.mark.parametrize("name", ["url", "description", "event_types", "is_on"])
def test_null_is_no_change(caller, name):
    made = caller.post("/webhooks", {"url": URL}).json()
    answer = caller.patch(f"/webhooks/{made['id']}", {name: None})
    assert answer.status_code == 422
    assert [row["field"] for row in answer.json()["fields"]] == [name]


def test_endpoint_is_changed_and_turned_off_and_on(caller):
    made = caller.post("/webhooks", {"url": URL, "event_types": ["budget.set"]}).json()
    address = f"/webhooks/{made['id']}"
    off = caller.patch(address, {"description": "New", "is_on": False}).json()
    on = caller.patch(address, {"event_types": [], "is_on": True}).json()

    assert (off["url"], off["description"], off["event_types"]) == (URL, "New", ["budget.set"])
    assert (off["is_on"], off["disabled_reason"]) == (False, "turned_off")
    assert (on["description"], on["event_types"]) == ("New", [])
    assert (on["is_on"], on["disabled_at"], on["disabled_reason"]) == (True, None, None)


def test_secret_is_rotated_and_a_test_is_sent(caller, settings):
    settings.DEMO = True
    with receiver() as server:
        made = caller.post("/webhooks", {"url": server.url}).json()
        rotated = caller.post(f"/webhooks/{made['id']}/rotate").json()
        sent = caller.post(f"/webhooks/{made['id']}/test").json()
        work_until_idle(now=timezone.now())
    [received] = server.received

    assert server.ids == [sent["event_id"]]
    assert made["secret"] != rotated["secret"]
    assert verifies(made["secret"], received)
    assert verifies(rotated["secret"], received)


def test_deleted_endpoint_is_gone(caller):
    made = caller.post("/webhooks", {"url": URL}).json()
    address = f"/webhooks/{made['id']}"
    assert caller.post(f"{address}/delete").json() == {"id": made["id"]}
    assert caller.get(address).status_code == 404


def test_repeated_deletion_gets_its_first_answer(caller):
    made = caller.post("/webhooks", {"url": URL}).json()
    address = f"/webhooks/{made['id']}/delete"
    first, second = (caller.post(address, Idempotency_Key="1") for _ in range(2))

    assert (second.status_code, second.json()) == (200, first.json())
    assert second["Idempotent-Replayed"] == "true"
    assert caller.post(address, Idempotency_Key="2").status_code == 404


def test_eleventh_endpoint_is_a_409(caller):
    answers = [caller.post("/webhooks", {"url": URL}) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [201] * 10 + [409]
    assert answers[-1].json()["code"] == "too_many_endpoints"


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(5, 204),
        Outcome(5, 500, DeliveryError.STATUS),
        Outcome(5, 410, DeliveryError.GONE),
    ],
    ids=["delivered", "failed", "gone"],
)
def test_what_the_former_url_answers_means_nothing_for_the_new_one(caller, outcome):
    made = caller.post("/webhooks", {"url": URL}).json()
    [event_id] = publish(caller.key.partner)
    [job] = claim_jobs(now=timezone.now(), limit=1, slow_limit=1)
    caller.patch(f"/webhooks/{made['id']}", {"url": "https://new.example.com/"})
    note_outcome(job=job, outcome=outcome, now=timezone.now())
    endpoint = WebhookEndpoint.objects.get()
    [again] = claim_jobs(now=timezone.now(), limit=1, slow_limit=1)

    assert (endpoint.is_on, endpoint.failed_tries) == (True, 0)
    assert (again.endpoint.url, str(again.event.pk)) == ("https://new.example.com/", event_id)
    assert endpoint.deliveries.get().status_code == outcome.status_code


def test_new_url_is_tried_at_once_and_begins_without_failures(caller):
    made = caller.post("/webhooks", {"url": URL}).json()
    now = timezone.now()
    WebhookEndpoint.objects.update(
        failed_tries=9,
        failing_since=now - timedelta(days=2),
        failure_told_at=now - timedelta(days=1),
        next_try_at=now + timedelta(hours=8),
        is_slow=True,
    )
    caller.patch(f"/webhooks/{made['id']}", {"url": "https://new.example.com/"})
    endpoint = WebhookEndpoint.objects.get()

    assert (endpoint.failed_tries, endpoint.is_slow) == (0, False)
    assert endpoint.failing_since is endpoint.failure_told_at is None
    assert endpoint.next_try_at <= timezone.now()
