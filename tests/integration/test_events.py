"""The feed of events by API."""

import pytest
from django.utils import timezone

from integration.api.events import EventShown
from outbox.models import Event
from outbox.services.events import number_events
from tests.factories import PartnerFactory, make_associated
from tests.integration.calls import Caller

pytestmark = pytest.mark.django_db
LINK = {"channel": "link", "association_type": "reseller", "label": "Fair 2026"}
BUDGET = {
    "limit": {"amount": "1500.00", "currency": "USD"},
    "period": "monthly",
    "on_exhaustion": "freeze",
    "unfreeze": True,
}


@pytest.fixture
def caller():
    return Caller(PartnerFactory())


def test_event_appears_once_it_has_a_position(caller):
    body = {**LINK, "reference": "CRM-7", "metadata": {"deal": "9"}}
    made = caller.post("/invitations", body).json()
    before = caller.get("/events").json()
    number_events(now=timezone.now())
    [event] = caller.get("/events").json()["items"]

    assert before == {"items": [], "next": None}
    assert event["type"] == "invitation.created"
    assert event["data"]["invitation_id"] == made["id"]
    assert (event["data"]["reference"], event["data"]["metadata"]) == ("CRM-7", {"deal": "9"})


def test_feed_goes_on_after_an_event(caller):
    for _ in range(3):
        caller.post("/invitations", LINK)
    number_events(now=timezone.now())
    first = caller.get("/events", limit=2).json()
    last = caller.client.get(first["next"], headers=caller.headers()).json()
    found = [row["id"] for row in [*first["items"], *last["items"]]]

    numbered = Event.objects.order_by("position").values_list("pk", flat=True)
    assert found == [str(key) for key in numbered]
    assert last["next"] is None
    assert caller.get("/events", after=found[-1]).json()["items"] == []


def test_feed_has_only_the_partners_own_events_of_a_kind():
    customer = make_associated()
    caller = Caller(customer.partner)
    caller.post(f"/customers/{customer.pk}/budget", BUDGET)
    make_associated()
    number_events(now=timezone.now())
    own = Event.objects.filter(partner_id=customer.partner_id).count()
    kinds = [row["type"] for row in caller.get("/events").json()["items"]]

    assert len(kinds) == own < Event.objects.count()
    assert {"association.created", "budget.set", "account.unfrozen"} <= set(kinds)
    assert [row["type"] for row in caller.get("/events", type="budget.set").json()["items"]] == [
        "budget.set"
    ]


def test_event_of_a_kind_that_this_release_does_not_know_is_shown():
    row = Event(kind="invitation.folded", occurred_at=timezone.now(), data={})

    assert EventShown.of(row).type == "invitation.folded"


@pytest.mark.parametrize("after", ["-1", "x", "²", "1" * 18])
def test_feed_goes_on_after_own_events_only(caller, after):
    answer = caller.get("/events", after=after)

    assert (answer.status_code, answer.json()["code"]) == (422, "cursor_unknown")


def test_event_of_another_partner_is_no_place_in_the_feed(caller):
    Caller(PartnerFactory()).post("/invitations", LINK)
    number_events(now=timezone.now())
    answer = caller.get("/events", after=str(Event.objects.get().pk))

    assert (answer.status_code, answer.json()["code"]) == (422, "cursor_unknown")
