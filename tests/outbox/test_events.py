"""Events: published with the action, numbered after the commit, never changed, deleted when old."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit.models import AppendOnlyError
from outbox.models import Event
from outbox.services import events
from outbox.services.events import NewEvent, number_events, publish, publish_many
from outbox.services.retention import delete_old_events
from tests import factories as typed_factories

factories: Any = typed_factories
pytestmark = pytest.mark.django_db

NOW = timezone.now()
KEPT = settings.RETENTION["EVENTS"]
SECOND = timedelta(seconds=1)


def publish_some(*kinds: str, now: Any = NOW) -> list[Event]:
    user = factories.UserFactory()
    new = [NewEvent(kind, user, None) for kind in kinds]
    return publish_many(events=new, now=now)


def numbered() -> list[tuple[int | None, str]]:
    return list(Event.objects.order_by("position").values_list("position", "kind"))


def test_an_event_names_its_object_and_has_no_position_yet() -> None:
    user = factories.UserFactory()
    event = publish(kind="a.made", about=user, partner_id=7, now=NOW, data={"code": "x"})
    assert Event.objects.values(
        *("kind", "partner_id", "object_label", "object_id", "occurred_at", "data", "position")
    ).get(pk=event.pk) == {
        "kind": "a.made",
        "partner_id": 7,
        "object_label": "accounts.user",
        "object_id": str(user.pk),
        "occurred_at": NOW,
        "data": {"code": "x"},
        "position": None,
    }


def test_events_of_one_transaction_are_one_statement_and_keep_their_order(
    django_assert_num_queries: Any,
) -> None:
    user = factories.UserFactory()
    kinds = [f"kind.{number}" for number in range(20)]
    with django_assert_num_queries(1):
        publish_many(events=[NewEvent(kind, user, None) for kind in kinds], now=NOW)

    assert number_events(now=NOW) == 20
    assert numbered() == list(enumerate(kinds, 1))


def test_no_events_need_no_statement(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert publish_many(events=[], now=NOW) == []


def test_an_action_that_is_rolled_back_has_no_event() -> None:
    user = factories.UserFactory()
    with transaction.atomic():
        publish(kind="a.made", about=user, partner_id=None, now=NOW)
        transaction.set_rollback(True)
    assert numbered() == []


def test_positions_go_on_where_they_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "EVENTS_AT_ONCE", 2)
    publish_some("one", "two", "three")
    assert [number_events(now=NOW) for _ in range(3)] == [2, 1, 0]
    # It is read after those that readers may have seen, although it happened before them.
    publish_some("four", now=NOW - SECOND)
    assert number_events(now=NOW) == 1
    assert numbered() == [(1, "one"), (2, "two"), (3, "three"), (4, "four")]


def test_nothing_to_number_is_one_statement(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert number_events(now=NOW) == 0


def test_a_thousand_events_are_numbered_at_once() -> None:
    publish_some(*(f"kind.{number}" for number in range(1001)))
    assert number_events(now=NOW) == 1000
    assert number_events(now=NOW) == 1
    assert list(Event.objects.after(0).values_list("position", flat=True)) == [*range(1, 1002)]


def test_readers_page_by_position() -> None:
    publish_some("one", "two", "three")
    number_events(now=NOW)
    publish_some("not yet")
    assert [event.kind for event in Event.objects.after(1)] == ["two", "three"]
    assert [event.kind for event in Event.objects.after(3)] == []


def test_events_cannot_be_changed_or_deleted_by_our_code() -> None:
    (event,) = publish_some("a.made")
    for act in (event.save, event.delete, Event.objects.all().delete):
        with pytest.raises(AppendOnlyError):
            act()
    with pytest.raises(AppendOnlyError):
        Event.objects.update(kind="b.made")


def test_old_events_are_deleted_once_they_have_a_position() -> None:
    publish_some("old", now=NOW - KEPT)
    publish_some("young", now=NOW - KEPT + SECOND)
    assert delete_old_events(now=NOW) == 0
    number_events(now=NOW)
    assert delete_old_events(now=NOW) == 1
    assert numbered() == [(2, "young")]


def test_positions_of_deleted_events_are_not_given_again() -> None:
    publish_some("one", "two")
    number_events(now=NOW)
    assert delete_old_events(now=NOW + KEPT) == 2
    publish_some("three")
    number_events(now=NOW)
    assert numbered() == [(3, "three")]
