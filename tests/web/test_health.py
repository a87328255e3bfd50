"""Liveness, readiness and robots.txt."""

from datetime import datetime, timedelta

import pytest
import redis.exceptions
from django.conf import settings
from django.core.cache import cache
from django.db import InterfaceError, OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from outbox.models import OutboxMessage
from outbox.services.queue import OutgoingMessage, enqueue_messages
from tests.factories import UserFactory
from web import health

pytestmark = pytest.mark.django_db
READY = (200, {"status": "ok", "mail": "ok"})
NOT_READY = (503, {"status": "unavailable"})


@pytest.fixture(autouse=True)
def _forget_migrations():
    health.check_migrations.cache_clear()


def answer(client, address="/readyz"):
    response = client.get(address)
    return response.status_code, response.json()


def drop(table):
    with connection.cursor() as cursor:
        cascade = " CASCADE" if connection.vendor == "postgresql" else ""
        cursor.execute(f"DROP TABLE {connection.ops.quote_name(table)}{cascade}")


def test_process_is_alive_without_any_query(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert answer(client, "/livez") == (200, {"status": "ok"})


def test_ready_when_everything_is_there(client):
    assert answer(client) == READY


def test_late_email_is_reported_and_changes_no_status(client):
    user, now = UserFactory(), timezone.now()
    outgoing = OutgoingMessage("accounts.registered", user.email, user, "en")
    enqueue_messages(messages=[outgoing], now=now)
    assert answer(client) == READY
    OutboxMessage.objects.update(next_try_at=now - timedelta(minutes=6))
    assert answer(client) == (200, {"status": "ok", "mail": "delayed"})


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_database_that_is_away_is_not_ready(client, error):
    def away(*_arguments):
        raise error("away")

    with connection.execute_wrapper(away):
        response = client.get("/readyz")
    assert (response.status_code, response.json()) == NOT_READY
    assert response["Retry-After"] == "10"


@pytest.mark.parametrize(
    "error", [redis.exceptions.ConnectionError, redis.exceptions.ResponseError]
)
def test_cache_that_is_away_is_not_ready(client, monkeypatch, error):
    def away(*_arguments):
        raise error("away")

    monkeypatch.setattr(cache, "get", away)
    assert answer(client) == NOT_READY


@pytest.mark.parametrize("table", ["outbox_outboxmessage", "django_migrations"])
def test_missing_table_is_not_ready(client, table):
    drop(table)
    assert answer(client) == NOT_READY


@pytest.mark.skipif(
    "DatabaseCache" not in settings.CACHES["default"]["BACKEND"], reason="the cache has no table"
)
def test_missing_cache_table_is_not_ready(client):
    drop(settings.CACHES["default"]["LOCATION"])
    assert answer(client) == NOT_READY


def test_missing_migration_is_not_ready_until_it_is_applied(client):
    newest = MigrationRecorder.Migration.objects.filter(app="accounts").latest("pk")
    newest.delete()
    assert [answer(client), answer(client)] == [NOT_READY, NOT_READY]
    newest.save(force_insert=True)
    assert answer(client) == READY


def test_migrations_are_checked_until_none_is_missing(client):
    counts = []
    for _ in range(3):
        with CaptureQueriesContext(connection) as queries:
            assert answer(client) == READY
        counts.append(sum("django_migrations" in query["sql"] for query in queries))
    assert counts[0] > 0
    assert counts[1:] == [0, 0]


def test_robots_are_asked_to_stay_away(client):
    assert client.get("/robots.txt").content.decode().splitlines() == [
        "User-agent: *",
        "Allow: /i/",
        "Allow: /logo/",
        "Allow: /static/preview",
        "Disallow: /",
    ]


def test_security_txt_names_the_contact_and_an_expiry_ahead(client, settings):
    settings.SECURITY_CONTACT = "mailto:security@example.org"

    answer = client.get("/.well-known/security.txt")

    assert (answer.status_code, answer["Content-Type"]) == (200, "text/plain; charset=utf-8")
    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    left = datetime.fromisoformat(fields.pop("Expires")) - timezone.now()
    assert timedelta(days=178) < left < timedelta(days=181)
    assert fields == {
        "Contact": "mailto:security@example.org",
        "Preferred-Languages": "en",
        "Canonical": f"{settings.PUBLIC_BASE_URL}/.well-known/security.txt",
    }


def test_there_is_no_security_txt_without_a_contact(client):
    assert client.get("/.well-known/security.txt").status_code == 404
