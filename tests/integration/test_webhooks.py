"""Webhooks: order, signatures, retries, and what becomes of an endpoint that fails."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from integration.models import WebhookDelivery
from integration.services import endpoints, posting, webhook_lane, webhook_queue
from integration.services.webhook_queue import claim_jobs, tell_of_failing_endpoints
from outbox.models import Event, OutboxMessage
from partners.enums import EventKind
from tests.factories import PartnerFactory
from tests.integration.calls import Caller
from tests.integration.receivers import babble, hang, receiver
from tests.integration.webhooks import log_of, make_endpoint, publish, reload, work_until_idle

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RETRIES = [
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    *[timedelta(hours=12)] * 4,
]


@pytest.fixture(autouse=True)
def in_the_demo(settings):
    settings.DEMO = True


@pytest.fixture
def exact_waits(monkeypatch):
    monkeypatch.setattr("random.uniform", lambda low, high: low)


def test_events_arrive_in_the_order_of_the_feed_as_the_feed_shows_them():
    caller = Caller(PartnerFactory())
    with receiver() as server:
        endpoint, _secret = make_endpoint(server.url, caller.key.partner)
        ids = publish(endpoint.partner, *[EventKind.BUDGET_SET] * 5)
        publish(PartnerFactory())
        work_until_idle()
    feed = caller.get("/events").json()["items"]

    assert server.ids == ids
    assert [json.loads(body) for _headers, body in server.received] == feed
    assert log_of(endpoint) == [(key, 1, 204, "") for key in ids]


def test_endpoint_begins_with_the_events_after_its_making():
    with receiver() as server:
        partner = PartnerFactory()
        publish(partner)
        endpoint, _secret = make_endpoint(server.url, partner)
        ids = publish(endpoint.partner)
        work_until_idle()
    assert server.ids == ids


def test_endpoint_gets_only_the_kinds_that_it_chose():
    with receiver() as server:
        endpoint, _secret = make_endpoint(server.url, event_types=[EventKind.ACCOUNT_FROZEN])
        kinds = [EventKind.BUDGET_SET, EventKind.ACCOUNT_FROZEN, EventKind.BUDGET_SET]
        publish(endpoint.partner, *kinds)
        work_until_idle()
    frozen = Event.objects.get(kind=EventKind.ACCOUNT_FROZEN)
    last = Event.objects.order_by("position").last()

    assert server.ids == [str(frozen.pk)]
    assert reload(endpoint).position == last.position


def test_signature_is_that_of_the_standard():
    with receiver() as server:
        endpoint, secret = make_endpoint(server.url)
        [key] = publish(endpoint.partner)
        work_until_idle()
    [(headers, body)] = server.received

    assert Webhook(secret).verify(body, headers)["id"] == key
    assert headers["Content-Type"] == "application/json"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.replace("budget", "gadget"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, {**headers, "webhook-id": "1"})


def test_during_a_rotation_both_secrets_verify_and_afterwards_only_the_new_one():
    now = timezone.now()
    with receiver() as server:
        endpoint, former = make_endpoint(server.url)
        by = endpoint.created_by
        new = endpoints.rotate_secret(endpoint=endpoint, by=by, now=now)
        publish(endpoint.partner)
        work_until_idle()
        endpoint = reload(endpoint)
        endpoint.former_secret_ends_at = now
        endpoint.save()
        publish(endpoint.partner)
        work_until_idle()
    (during, after) = server.received

    assert reload(endpoint).sealed_secret != endpoint.sealed_former_secret
    assert verifies(former, during)
    assert verifies(new, during)
    assert verifies(new, after)
    assert not verifies(former, after)


def verifies(secret, received):
    headers, body = received
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


def test_secret_is_stored_encrypted_and_read_with_a_former_secret_key(settings):
    endpoint, secret = make_endpoint()
    stored = reload(endpoint).sealed_secret
    assert secret not in stored

    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    with receiver() as server:
        endpoint.url = server.url
        endpoint.save()
        publish(endpoint.partner)
        work_until_idle()
        assert verifies(secret, server.received[0])
        settings.SECRET_KEY_FALLBACKS = []
        [key] = publish(endpoint.partner)
        work_until_idle()
    assert log_of(endpoint)[-1] == (key, 1, None, "secret_unreadable")
    assert len(server.received) == 1


def test_retries_follow_the_schedule_with_one_id_until_the_endpoint_is_turned_off(exact_waits):
    now = NOW
    with receiver(500) as server:
        endpoint, _secret = make_endpoint(server.url)
        ids = publish(endpoint.partner, EventKind.BUDGET_SET, EventKind.BUDGET_SET, now=NOW)
        endpoint.next_try_at = NOW
        endpoint.save()
        waits = []
        while reload(endpoint).is_on:
            work_until_idle(now=now)
            waits.append(reload(endpoint).next_try_at - now)
            work_until_idle(now=now + waits[-1] - timedelta(seconds=1))
            now += waits[-1]
            if now > NOW + 4 * DAY:
                break
    endpoint = reload(endpoint)
    # The last wait ends three days after the first failure.
    rest = 3 * DAY - sum(RETRIES, timedelta())

    assert waits[:12] == [*RETRIES, rest]
    assert server.ids == [ids[0]] * 13
    assert [attempt for _key, attempt, _status, _error in log_of(endpoint)] == list(range(1, 14))
    assert (endpoint.disabled_at, endpoint.disabled_reason) == (NOW + 3 * DAY, "failing")
    assert OutboxMessage.objects.filter(kind="integration.endpoint_disabled").count() == 1


def test_waits_vary_by_a_tenth():
    waits = {webhook_queue.wait_after(tries=7) for _ in range(100)}
    assert len(waits) > 1
    assert min(waits) >= 10 * HOUR
    assert max(waits) <= 11 * HOUR


def test_endpoint_that_works_again_gets_what_it_missed_in_order():
    with receiver(500, hang_up, 503, 204) as server:
        endpoint, _secret = make_endpoint(server.url)
        ids = publish(endpoint.partner, *[EventKind.BUDGET_SET] * 3)
        for minute in (0, 1, 3, 9):
            work_until_idle(now=timezone.now() + timedelta(minutes=minute))
    endpoint = reload(endpoint)

    assert server.ids == [ids[0], ids[0], ids[0], *ids]
    assert [error for *_rest, error in log_of(endpoint)] == [
        "status",
        "no_connection",
        "status",
        "",
        "",
        "",
    ]
    assert (endpoint.failing_since, endpoint.failed_tries) == (None, 0)


def hang_up(handler):
    """Close the connection without an answer."""


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        ((302, {"Location": "http://127.0.0.1:9/"}), 302, "redirect"),
        (404, 404, "status"),
        (babble, None, "not_http"),
        (hang, None, "timeout"),
    ],
)
def test_failure_is_logged_and_tried_again(answer, status, error, monkeypatch):
    monkeypatch.setattr(posting, "ANSWER_SECONDS", 0.3)
    with receiver(answer) as server:
        endpoint, _secret = make_endpoint(server.url)
        [key] = publish(endpoint.partner)
        work_until_idle()
    row = endpoint.deliveries.get()

    assert log_of(endpoint) == [(key, 1, status, error)]
    assert row.next_try_at == reload(endpoint).next_try_at > row.sent_at


def test_410_turns_the_endpoint_off_at_once_and_its_administrators_are_told():
    with receiver(410) as server:
        endpoint, _secret = make_endpoint(server.url, description="CRM")
        publish(endpoint.partner, EventKind.BUDGET_SET, EventKind.BUDGET_SET)
        work_until_idle()
        work_until_idle(now=timezone.now() + DAY)
    call_command("worker", "--once")
    endpoint = reload(endpoint)

    assert len(server.received) == 1
    assert endpoint.disabled_reason == "gone"
    [email] = mail.outbox
    assert email.subject == "No more webhooks are sent to CRM"
    assert email.to == [endpoint.created_by.email]
    assert f"/partner/webhooks/{endpoint.pk}" in email.body


def test_administrators_are_told_once_when_an_endpoint_has_failed_for_an_hour():
    with receiver(500) as server:
        endpoint, _secret = make_endpoint(server.url)
        publish(endpoint.partner)
        began_at = timezone.now() - 2 * HOUR
        endpoint.next_try_at = began_at
        endpoint.save()
        work_until_idle(now=began_at)
    told = [
        tell_of_failing_endpoints(now=began_at + HOUR - timedelta(seconds=1)),
        tell_of_failing_endpoints(now=began_at + HOUR),
        tell_of_failing_endpoints(now=began_at + 2 * HOUR),
    ]
    call_command("worker", "--once")

    assert told == [0, 1, 0]
    [email] = mail.outbox
    assert email.subject.startswith("Webhooks to 127.0.0.1:")


def test_turned_off_endpoint_gets_what_it_missed_when_it_is_turned_on():
    with receiver() as server:
        endpoint, _secret = make_endpoint(server.url)
        by, now = endpoint.created_by, timezone.now()
        endpoints.turn_off(endpoint=endpoint, by=by, now=now)
        ids = publish(endpoint.partner, EventKind.BUDGET_SET, EventKind.BUDGET_SET)
        work_until_idle()
        before = list(server.received)
        endpoints.turn_on(endpoint=endpoint, by=by, now=timezone.now())
        work_until_idle()
    assert (before, server.ids) == ([], ids)


def test_turning_on_a_failing_endpoint_tries_it_at_once():
    with receiver(500, 204) as server:
        endpoint, _secret = make_endpoint(server.url)
        publish(endpoint.partner)
        work_until_idle()
        endpoints.turn_on(endpoint=endpoint, by=endpoint.created_by, now=timezone.now())
        work_until_idle()
    assert len(server.received) == 2
    assert reload(endpoint).failing_since is None


def test_test_event_goes_to_its_endpoint_only_once_and_beside_the_order():
    with receiver(500) as server, receiver() as other:
        endpoint, _secret = make_endpoint(server.url, event_types=[EventKind.BUDGET_SET])
        make_endpoint(other.url, endpoint.partner)
        endpoints.turn_off(endpoint=endpoint, by=endpoint.created_by, now=timezone.now())
        row = endpoints.send_test(endpoint=endpoint, now=timezone.now())
        publish(endpoint.partner)
        work_until_idle()
        work_until_idle(now=timezone.now() + DAY)
    body = json.loads(server.received[0][1])

    assert server.ids == [str(row.event_id)]
    assert (body["type"], body["data"]) == ("endpoint.test", {"endpoint_id": str(endpoint.pk)})
    assert str(row.event_id) not in other.ids
    assert log_of(endpoint) == [(str(row.event_id), 1, 500, "status")]
    assert reload(endpoint).failing_since is None


def test_tests_of_slow_endpoints_leave_the_places_to_others():
    now = timezone.now()
    slow, _secret = make_endpoint()
    quick, _secret = make_endpoint()
    slow.is_slow = True
    slow.save()
    for endpoint in [slow] * 4 + [quick]:
        endpoints.send_test(endpoint=endpoint, now=now)

    jobs = claim_jobs(now=now, limit=3, slow_limit=1)

    assert [job.endpoint.pk for job in jobs] == [quick.pk, slow.pk]
    assert claim_jobs(now=now, limit=3, slow_limit=0) == []


def test_replay_sends_an_event_again_with_its_id():
    with receiver() as server:
        endpoint, _secret = make_endpoint(server.url)
        ids = publish(endpoint.partner, EventKind.BUDGET_SET, EventKind.BUDGET_SET)
        work_until_idle()
        first = endpoint.deliveries.get(event_id=ids[0])
        endpoints.replay_delivery(delivery=first, now=timezone.now())
        work_until_idle()
    assert server.ids == [*ids, ids[0]]
    assert (ids[0], 2, 204, "") in log_of(endpoint)


def test_error_of_ours_is_logged_and_tried_again(monkeypatch, caplog):
    def fail(*args, **options):
        raise RuntimeError("broken")

    monkeypatch.setattr(webhook_lane, "send", fail)
    endpoint, _secret = make_endpoint()
    [key] = publish(endpoint.partner)
    work_until_idle()

    assert log_of(endpoint) == [(key, 1, None, "internal")]
    assert "webhook.failed" in caplog.text


def test_log_is_deleted_after_thirty_days_except_what_waits():
    endpoint, _secret = make_endpoint()
    now = timezone.now()
    waits = endpoints.send_test(endpoint=endpoint, now=now - 31 * DAY)
    for days in (29, 30):
        WebhookDelivery.objects.create(
            endpoint=endpoint,
            event_id=days,
            event_kind="budget.set",
            attempt=1,
            status="delivered",
            sent_at=now - days * DAY,
            created_at=now - days * DAY,
        )
    assert webhook_queue.delete_old_deliveries(now=now) == 1
    assert set(endpoint.deliveries.values_list("event_id", flat=True)) == {waits.event_id, 29}
