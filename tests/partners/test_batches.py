"""Batches of links: started, made in chunks, cancelled in between, stopped, finished."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from association.services.invariants.checking import find_violations
from audit.models import AuditEvent
from outbox.services.background import Background
from partners.enums import AssociationType, InvitationProblem, PartnerStatus
from partners.models import Invitation, InvitationBatch
from partners.services import batches
from partners.services.batches import cancel_batch, make_batches, start_links
from tests.factories import FROZEN, InvitationBatchFactory, PartnerMemberFactory
from web.refused import Refused

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def member():
    return PartnerMemberFactory.create()


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(batches, "CHUNK", 4)


def start(member, **fields):
    fields = {"size": 10, "label": "Fair {n}", "now": NOW, **fields}
    return start_links(
        partner=member.partner, association_type=AssociationType.REFERRAL, by=member.user, **fields
    )


def work():
    """Run the worker until all is done; return how many it made each time."""
    done = []
    while number := make_batches(now=NOW + HOUR):
        done.append(number)
    return done


def events(batch):
    rows = AuditEvent.objects.filter(
        object_label="partners.invitationbatch", object_id=str(batch.pk)
    )
    return list(rows.order_by("pk"))


def test_batch_begins_with_one_event_and_no_links(member, django_assert_num_queries):
    batch = start(member, note="Hello", max_uses=2, expires_at=NOW + 9 * HOUR)
    batch.refresh_from_db()
    assert (batch.state, batch.size, batch.done_count) == ("running", 10, 0)
    assert (batch.created_by, batch.created_at, batch.started_at) == (member.user, NOW, NOW)
    assert Invitation.objects.count() == 0
    [event] = events(batch)
    assert (event.action, event.actor, event.before) == (
        "batch.started",
        member.user,
        {"started_at": None},
    )
    assert event.after == {
        "partner": member.partner.pk,
        "channel": "link",
        "association_type": "referral",
        "label": "Fair {n}",
        "subject": "",
        "note": "Hello",
        "language": "",
        "country": "",
        "is_bound": False,
        "max_uses": 2,
        "expires_at": "2026-05-04T21:00:00+00:00",
        "budget_amount": None,
        "budget_period": "",
        "budget_on_exhaustion": "",
        "allowed_domains": "",
        "size": 10,
        "started_at": "2026-05-04T12:00:00+00:00",
    }


def test_worker_makes_links_with_their_numbers_and_events(member, small_chunks):
    batch = start(member, note="Hello", max_uses=2, country="DE")
    assert work() == [4, 4, 2]
    batch.refresh_from_db()
    assert (batch.state, batch.done_count) == ("finished", 10)
    assert batch.finished_at == NOW + HOUR
    made = list(batch.invitations.order_by("pk"))
    assert sorted(link.label for link in made) == sorted(f"Fair {n}" for n in range(1, 11))
    assert len({link.token for link in made}) == 10
    assert {
        (link.note, link.max_uses, str(link.country), link.created_by, link.partner)
        for link in made
    } == {("Hello", 2, "DE", member.user, member.partner)}
    about = AuditEvent.objects.filter(object_label="partners.invitation")
    assert {event.action for event in about} == {"invitation.created"}
    assert {int(event.object_id) for event in about} == {link.pk for link in made}
    assert [event.action for event in events(batch)] == ["batch.started", "batch.finished"]
    assert events(batch)[-1].after == {
        "finished_at": "2026-05-04T13:00:00+00:00",
        "done_count": 10,
        "refused_count": 0,
        "stop_reason": "",
    }
    assert list(find_violations()) == []


def test_twelve_hundred_are_made_by_the_worker(member):
    batch = start(member, size=1200)
    background = Background()
    # Beside the links, the events of those that were made before are numbered.
    assert [background.work(now=NOW + HOUR) for _ in range(4)] == [1000, 1200, 200, 0]
    assert Invitation.objects.filter(batch=batch).count() == 1200
    batch.refresh_from_db()
    assert batch.state == "finished"


# The savepoint's two, the batch, how far it has come; links, audit events and events are one
# statement each. Where a statement takes 999 parameters at most (SQLite with Django 5.2), one for
# every 33 links, 99 and 124 events.
@pytest.mark.parametrize(("size", "split"), [(30, 7), (90, 9)])
def test_statements_do_not_grow_with_the_chunk(
    member, monkeypatch, django_assert_num_queries, size, split
):
    start(member, size=300)
    monkeypatch.setattr(batches, "CHUNK", size)
    with django_assert_num_queries(split if connection.features.max_query_params == 999 else 7):
        assert make_batches(now=NOW) == size


def test_cancelling_in_the_middle_leaves_what_is_made_and_makes_no_more(member, small_chunks):
    batch = start(member)
    make_batches(now=NOW)
    cancel_batch(batch=batch, by=member.user, now=NOW + HOUR)
    cancel_batch(batch=batch, by=member.user, now=NOW + 2 * HOUR)
    assert work() == []
    batch.refresh_from_db()
    assert (batch.state, batch.done_count, batch.cancelled_by) == ("cancelled", 4, member.user)
    assert Invitation.objects.count() == 4
    assert [event.action for event in events(batch)] == ["batch.started", "batch.cancelled"]
    assert events(batch)[-1].after == {
        "cancelled_at": "2026-05-04T13:00:00+00:00",
        "done_count": 4,
        "refused_count": 0,
        "stop_reason": "",
    }
    assert list(find_violations()) == []


def test_finished_batch_cannot_be_cancelled(member):
    batch = start(member)
    work()
    assert cancel_batch(batch=batch, by=member.user, now=NOW).state == "finished"
    assert [event.action for event in events(batch)] == ["batch.started", "batch.finished"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (FROZEN, InvitationProblem.PARTNER_UNAVAILABLE),
        ({"allows_referral": False}, InvitationProblem.TYPE_NOT_ALLOWED),
    ],
)
def test_partner_that_may_not_invite_any_more_stops_the_batch(member, small_chunks, change, reason):
    batch = start(member)
    make_batches(now=NOW)
    type(member.partner).objects.update(**change)
    assert work() == [1]
    batch.refresh_from_db()
    assert (batch.state, batch.done_count, batch.stop_reason) == ("cancelled", 4, reason)
    assert Invitation.objects.count() == 4
    assert [(event.action, event.actor) for event in events(batch)] == [
        ("batch.started", member.user),
        ("batch.stopped", None),
    ]
    assert events(batch)[-1].after["stop_reason"] == reason
    assert list(find_violations()) == []


def test_expiry_that_passed_meanwhile_stops_the_batch(member):
    batch = start(member, expires_at=NOW + HOUR)
    assert work() == [1]
    batch.refresh_from_db()
    assert batch.stop_reason == InvitationProblem.EXPIRY_NOT_AHEAD


def test_chunk_that_fails_leaves_nothing_and_is_made_again(member, small_chunks, monkeypatch):
    batch = start(member)
    make_batches(now=NOW)

    def fail(**_):
        raise RuntimeError("the machine is away")

    with monkeypatch.context() as patch:
        patch.setattr(batches, "end_batch", fail)
        make_batches(now=NOW)
        with pytest.raises(RuntimeError):
            make_batches(now=NOW)
    batch.refresh_from_db()
    assert (batch.done_count, Invitation.objects.count()) == (8, 8)
    assert work() == [2]
    assert Invitation.objects.count() == 10


def test_emails_and_drafts_are_left_alone(member):
    InvitationBatchFactory.create(email=True)
    InvitationBatchFactory.create(draft=True)
    assert work() == []


def test_batch_of_links_that_cannot_be_followed_is_not_started(member):
    member.partner.status = PartnerStatus.FROZEN
    with pytest.raises(Refused) as refused:
        start(member)
    assert refused.value.code == InvitationProblem.PARTNER_UNAVAILABLE
    assert (InvitationBatch.objects.count(), AuditEvent.objects.count()) == (0, 0)


def test_batch_above_the_quota_is_not_started(member, settings):
    settings.PARTNER_DAILY_INVITATIONS = 15
    start(member)
    with pytest.raises(Refused):
        start(member, label="Other {n}", size=6)
    assert start(member, label="Other {n}", size=5).pk
    assert sum(work()) == 15
