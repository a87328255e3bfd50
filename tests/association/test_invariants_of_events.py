"""I16: events that say twice, or wrongly, that an association was made or ended are found."""

from typing import Any

import pytest
from django.utils import timezone

from association.models import Association
from association.services.invariants.checking import find_violations
from outbox.models import Event
from outbox.services.events import publish
from partners.enums import EventKind
from tests import factories as typed_factories

factories: Any = typed_factories
pytestmark = pytest.mark.django_db


def found() -> list[tuple[str, str, str]]:
    return [(one.invariant, one.object, one.detail) for one in find_violations()]


def again(kind: EventKind, association: Association) -> Event:
    partner_id = association.partner_id
    return publish(kind=kind, about=association, partner_id=partner_id, now=timezone.now())


@pytest.fixture
def former() -> Association:
    made: Association = factories.make_associated()
    factories.end_by_provider(made, reason="Moved", now=timezone.now())
    made.refresh_from_db()
    return made


def test_associations_in_force_and_ended_have_good_events(former: Association) -> None:
    factories.make_associated()
    assert found() == []


@pytest.mark.parametrize("kind", [EventKind.ASSOCIATION_CREATED, EventKind.ASSOCIATION_ENDED])
def test_a_second_event_is_found(former: Association, kind: EventKind) -> None:
    again(kind, former)
    about = f"association.association:{former.pk}"
    assert found() == [("I16", about, f"has 2 events {kind}")]


def test_the_end_of_an_association_in_force_is_found() -> None:
    event = again(EventKind.ASSOCIATION_ENDED, factories.make_associated())
    detail = "says that an association ended that has not"
    assert found() == [("I16", f"outbox.event:{event.pk}", detail)]


def test_an_association_that_is_missing_is_found() -> None:
    event = again(EventKind.ASSOCIATION_CREATED, Association(pk=17, partner_id=1))
    detail = "says that an association was made that is missing"
    assert found() == [("I16", f"outbox.event:{event.pk}", detail)]


def test_other_events_may_be_many() -> None:
    association = factories.make_associated()
    for _ in range(2):
        again(EventKind.ACCOUNT_FROZEN, association)
    assert found() == []
