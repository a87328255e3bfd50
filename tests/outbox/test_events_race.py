"""Events of transactions that commit late, and several workers that number them."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from outbox.models import Event, EventCounter
from outbox.services import events
from outbox.services.events import NewEvent, number_events, publish_many
from tests import factories as typed_factories
from tests.association.test_races import PATIENCE, at_once

factories: Any = typed_factories

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

NOW = timezone.now()


def publish_some(*kinds: str, moment: Any = NOW) -> None:
    user = factories.UserFactory()
    publish_many(events=[NewEvent(kind, user, None) for kind in kinds], now=moment)


class Reader:
    """Another system: reads what is behind the last value that it has seen of a column."""

    def __init__(self, column: str, last: Any) -> None:
        self.column, self.last, self.seen = column, last, list[str]()

    def read(self) -> None:
        rows = Event.objects.filter(**{f"{self.column}__gt": self.last}).order_by(self.column)
        for event in rows:
            self.last = getattr(event, self.column)
            self.seen.append(event.kind)


def read_around_a_late_commit(reader: Reader) -> list[str]:
    """Let an event that was published first be committed after a read of the second one."""
    published, may_commit = threading.Event(), threading.Event()

    def publish_and_wait() -> None:
        try:
            with transaction.atomic():
                publish_some("first")
                published.set()
                assert may_commit.wait(PATIENCE)
        finally:
            published.set()
            connection.close()

    thread = threading.Thread(target=publish_and_wait)
    thread.start()
    assert published.wait(PATIENCE)
    publish_some("second", moment=NOW + timedelta(seconds=1))
    number_events(now=NOW)
    reader.read()
    may_commit.set()
    thread.join()
    number_events(now=NOW)
    reader.read()
    return reader.seen


def test_a_reader_by_position_misses_no_event_that_is_committed_late() -> None:
    assert read_around_a_late_commit(Reader("position", 0)) == ["second", "first"]


def test_control_a_reader_by_moment_misses_it() -> None:
    assert read_around_a_late_commit(Reader("occurred_at", NOW - timedelta(days=1))) == ["second"]


def number_all() -> int:
    total = 0
    while done := number_events(now=NOW):
        total += done
    return total


def test_three_workers_give_consecutive_positions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "EVENTS_AT_ONCE", 7)
    publish_some(*(f"kind.{number:03}" for number in range(100)))
    assert sum(at_once(lambda _worker: number_all(), range(3))) == 100
    rows = list(Event.objects.order_by("position").values_list("position", "kind"))
    assert rows == [(number + 1, f"kind.{number:03}") for number in range(100)]
    assert EventCounter.objects.get().last_position == 100


def test_control_without_the_lock_two_workers_number_the_same_events(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = threading.Barrier(2)
    find = EventCounter.objects.get_or_create

    def wait_and_find(**options: Any) -> Any:
        gate.wait(timeout=PATIENCE)
        return find(**options)

    monkeypatch.setattr(events, "lock_name", lambda name: None)
    monkeypatch.setattr(EventCounter.objects, "get_or_create", wait_and_find)
    publish_some("one", "two")
    assert at_once(lambda _worker: number_events(now=NOW), range(2)) == [2, 2]
