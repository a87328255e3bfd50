"""Background work of the worker: each function runs, beside the e-mails."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core import mail as mail_box
from django.core.management import call_command
from django.db import IntegrityError, OperationalError
from django.test import override_settings
from django.utils import timezone

from outbox.services.background import Background
from outbox.services.queue import OutgoingMessage, enqueue_messages
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

DONE: list[str] = []
LEFT = {"long": 0, "short": 0}


def long_work(*, now):
    return work_on("long")


def short_work(*, now):
    return work_on("short")


def broken_work(*, now):
    raise IntegrityError("our own error")


def away_work(*, now):
    raise OperationalError("the database is away")


def work_on(name):
    if not LEFT[name]:
        return 0
    LEFT[name] -= 1
    DONE.append(name)
    return 1


@pytest.fixture(autouse=True)
def _work():
    DONE.clear()
    LEFT.update(long=3, short=1)
    names = [f"{__name__}.{work.__name__}" for work in (long_work, short_work)]
    with override_settings(BACKGROUND_WORK=names):
        yield


def test_each_function_runs():
    assert Background().work(now=timezone.now()) == 2
    assert DONE == ["long", "short"]


def test_nothing_is_processed_when_all_is_done():
    LEFT.update(long=0, short=0)

    assert Background().work(now=timezone.now()) == 0


@pytest.mark.parametrize("option", ["--once", "--drain"])
def test_worker_does_all_waiting_work(option):
    call_command("worker", option, stdout=StringIO())

    assert sorted(DONE) == ["long", "long", "long", "short"]


def failing_retention(*, now):
    DONE.append("retention")
    if LEFT["short"]:
        raise IntegrityError("our own error")
    return 0


def test_retention_that_fails_is_tried_again_in_a_minute_and_rests_when_it_works(settings, caplog):
    settings.BACKGROUND_WORK = []
    settings.RETENTION_WORK = [f"{__name__}.failing_retention"]
    background, start = Background(), timezone.now()

    def tried_at(*minutes):
        DONE.clear()
        for minute in minutes:
            background.work(now=start + timedelta(minutes=minute))
        return len(DONE)

    assert [tried_at(0, 0.5), tried_at(1), tried_at(2)] == [1, 1, 1]
    LEFT["short"] = 0
    assert [tried_at(3), tried_at(4), tried_at(62), tried_at(63)] == [1, 0, 0, 1]
    assert len(caplog.records) == 1


def test_error_that_goes_on_is_logged_once_an_hour(settings, caplog):
    settings.BACKGROUND_WORK = [f"{__name__}.broken_work"]
    background, start = Background(), timezone.now()
    for minutes in (0, 30, 59, 60, 90):
        background.work(now=start + timedelta(minutes=minutes))
    assert len(caplog.records) == 2


def test_error_stops_no_other_function_and_is_logged_once(settings, caplog):
    settings.BACKGROUND_WORK = [f"{__name__}.broken_work", f"{__name__}.long_work"]
    background = Background()

    assert [background.work(now=timezone.now()) for _ in range(2)] == [1, 1]
    assert [json.loads(record.message) for record in caplog.records] == [
        {
            "event": "background.failed",
            "work": f"{__name__}.broken_work",
            "error": "IntegrityError",
        }
    ]


def test_emails_are_sent_although_a_function_fails(settings):
    settings.BACKGROUND_WORK = [f"{__name__}.broken_work"]
    enqueue_messages(
        messages=[OutgoingMessage("accounts.registered", "ann@example.org", UserFactory(), "en")],
        now=timezone.now(),
    )

    call_command("worker", "--once", stdout=StringIO())

    assert [mail.to for mail in mail_box.outbox] == [["ann@example.org"]]


def test_database_that_is_away_is_raised(settings):
    settings.BACKGROUND_WORK = [f"{__name__}.away_work"]

    with pytest.raises(OperationalError):
        Background().work(now=timezone.now())
