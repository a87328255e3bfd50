"""Webhooks under faults: workers that are killed, several workers, slow receivers."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from itertools import cycle
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from integration.models import WebhookEndpoint
from integration.services import webhook_lane, webhook_queue
from integration.services.webhook_lane import WebhookLane
from integration.services.webhook_queue import LEASE, claim_jobs
from outbox.services import lanes
from tests.integration.receivers import hang, receiver
from tests.integration.webhooks import log_of, make_endpoint, publish, reload, work_until_idle

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
PATIENCE = 30.0


@pytest.fixture(autouse=True)
def in_the_demo(settings):
    settings.DEMO = True


def wait_until(is_true):
    end = time.monotonic() + PATIENCE
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_worker_killed_between_the_answer_and_its_note_sends_the_same_id_again(tmp_path):
    """The receiver kills the worker before it answers: nothing can be noted."""
    workers = []

    def kill(handler):
        os.kill(workers[-1].pid, signal.SIGKILL)
        handler.send_response(204)
        handler.end_headers()

    with receiver(kill, 204) as server:
        endpoint, _secret = make_endpoint(server.url)
        ids = publish(endpoint.partner, *["budget.set"] * 3)
        workers.append(start_worker(tmp_path))
        assert workers[0].wait(PATIENCE) == -signal.SIGKILL
        noted = log_of(endpoint)
        work_until_idle()
        before_lease_ends = list(server.ids)
        work_until_idle(now=timezone.now() + LEASE)

    assert (noted, before_lease_ends) == ([], ids[:1])
    assert server.ids == [ids[0], *ids]
    assert sorted(log_of(endpoint)) == sorted((key, 1, 204, "") for key in ids)


@pytest.mark.long
def test_workers_killed_fifty_times_send_every_event_at_least_once(tmp_path):
    """A worker dies before, while or after the receiver answers; each next one goes on."""
    moments = cycle([0.0, 0.005, 0.05])
    workers, ids = [], []

    def kill(handler):
        end = threading.Timer(next(moments), workers[-1].kill)
        end.start()
        handler.send_response(204)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        end.join()

    with receiver(kill) as server:
        endpoint, _secret = make_endpoint(server.url)
        for _ in range(50):
            ids += publish(endpoint.partner, *["budget.set"] * 2)
            WebhookEndpoint.objects.update(next_try_at=timezone.now())
            workers.append(start_worker(tmp_path))
            assert workers[-1].wait(PATIENCE) == -signal.SIGKILL
        server.answers = [204]
        work_until_idle(now=timezone.now() + LEASE)

    assert len(server.ids) > len(ids)
    assert list(dict.fromkeys(server.ids)) == ids
    assert len({body for _headers, body in server.received}) == len(ids)
    assert {row[0] for row in log_of(endpoint)} == set(ids)
    assert reload(endpoint).failed_tries == 0


def start_worker(folder):
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEMO": "1",
        "DATABASE_URL": database_url(),
        "EMAIL_URL": f"filemail:///{folder}",
    }
    command = [sys.executable, str(Path(django_settings.BASE_DIR) / "manage.py"), "worker"]
    return subprocess.Popen(command, env=environment)  # noqa: S603 - our own program


def database_url():
    is_at = connection.settings_dict
    user, host = is_at["USER"], is_at["HOST"]
    word = f":{is_at['PASSWORD']}" if is_at["PASSWORD"] else ""
    return f"postgres://{user}{word}@{host}:{is_at['PORT'] or 5432}/{is_at['NAME']}"


def test_two_workers_send_each_event_once_and_in_order():
    with receiver() as server, receiver() as other:
        made = [make_endpoint(one.url)[0] for one in (server, other)]
        ids = [publish(endpoint.partner, *["budget.set"] * 20) for endpoint in made]
        threads = [threading.Thread(target=work_apart) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        work_until_idle()
    assert [server.ids, other.ids] == ids


def work_apart():
    try:
        work_until_idle()
    finally:
        connection.close()


def test_claimed_endpoint_is_not_taken_by_another_worker_before_its_lease_ends():
    endpoint, _secret = make_endpoint()
    publish(endpoint.partner)
    now = timezone.now()
    moments = [now, now, now + LEASE]
    found = [len(claim_jobs(now=moment, limit=9, slow_limit=9)) for moment in moments]
    assert found == [1, 0, 1]


def test_control_without_a_lease_another_worker_takes_it(monkeypatch):
    monkeypatch.setattr(webhook_queue, "LEASE", timedelta())
    endpoint, _secret = make_endpoint()
    publish(endpoint.partner)
    now = timezone.now()
    assert [len(claim_jobs(now=now, limit=9, slow_limit=9)) for _ in range(2)] == [1, 1]


def test_receivers_that_hang_delay_no_other_one(monkeypatch):
    monkeypatch.setattr(webhook_lane, "PATIENCE_SECONDS", 0.1)
    began = time.monotonic()
    with receiver(hang) as hanging, receiver() as server:
        slow = [make_endpoint(hanging.url)[0] for _ in range(webhook_lane.PLACES_OF_SLOW + 4)]
        for endpoint in slow:
            endpoint.is_slow = True
            endpoint.save()
            publish(endpoint.partner)
        endpoint, _secret = make_endpoint(server.url)
        ids = publish(endpoint.partner, *["budget.set"] * 20)
        lane = WebhookLane()
        while len(server.ids) < 20:
            lane.work()
            assert time.monotonic() - began < PATIENCE / 3
    assert server.ids == ids
    assert len(hanging.ids) == webhook_lane.PLACES_OF_SLOW


def test_worker_sends_webhooks_in_a_lane_and_ends_at_a_signal(monkeypatch):
    monkeypatch.setattr(lanes, "POLL_SECONDS", 0.05)
    with receiver() as server:
        endpoint, _secret = make_endpoint(server.url)
        ids = publish(endpoint.partner, "budget.set")

        def end_when_sent():
            try:
                wait_until(lambda: server.ids)
            finally:
                os.kill(os.getpid(), signal.SIGTERM)

        watch = threading.Thread(target=end_when_sent)
        watch.start()
        call_command("worker")
        watch.join()
    assert server.ids == ids
    assert log_of(endpoint) == [(ids[0], 1, 204, "")]


def test_outcome_that_could_not_be_noted_is_noted_later(monkeypatch):
    real, failures = webhook_queue.note_outcome, [OSError("database away")]

    def note(**values):
        if failures:
            raise failures.pop()
        real(**values)

    monkeypatch.setattr(webhook_lane, "note_outcome", note)
    with receiver() as server:
        endpoint, _secret = make_endpoint(server.url)
        ids = publish(endpoint.partner)
        lane = WebhookLane()
        with pytest.raises(OSError, match="database away"):
            lane.work()
        while lane.work():
            pass
    assert server.ids == ids
    assert log_of(endpoint) == [(ids[0], 1, 204, "")]
    assert reload(endpoint).position > 0
