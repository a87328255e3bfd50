"""Many workers at once on one action, and one that is killed: every row is done exactly once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections
from django.utils import timezone

from audit.models import AuditEvent
from outbox.models import OutboxMessage
from outbox.services.background import DATABASE_AWAY
from partners.enums import BulkKind
from partners.models import BulkAction, BulkActionRow
from partners.models.bulk_actions import BulkActionQuerySet
from partners.services import bulk_actions, bulk_invitations
from partners.services.bulk_actions import cancel_bulk_action, choose_rows, start_bulk_action
from partners.services.bulk_invitations import act_on_invitations
from partners.services.invitations import resend_invitation
from tests.factories import InvitationFactory, PartnerMemberFactory
from tests.lock_waits import wait_until_someone_waits

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

WORKERS = 4
SIZE = 24


@pytest.fixture
def action():
    """Start an action that mails 24 people again, one at the time of each worker's round."""
    member = PartnerMemberFactory.create()
    rows = [
        InvitationFactory.create(
            partner=member.partner,
            created_by=member.user,
            email=True,
            recipient=f"person{number}@example.org",
        )
        for number in range(SIZE)
    ]
    now = timezone.now()
    chosen = choose_rows(
        member=member, kind=BulkKind.RESEND, keys=[row.pk for row in rows], now=now
    )
    return start_bulk_action(action=chosen, terms={}, by=member.user, now=now)


@pytest.fixture(autouse=True)
def short_rounds(monkeypatch):
    monkeypatch.setattr(bulk_actions, "SECONDS_AT_ONCE", 0.02)


def in_parallel(work, number=WORKERS):
    together = threading.Barrier(number)

    def one(_):
        try:
            connection.ensure_connection()
            together.wait(timeout=20)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as people:
        return list(people.map(one, range(number)))


def until_it_is_done():
    done = 0
    while BulkAction.objects.running().exists():
        done += act_on_invitations(now=timezone.now())
    return done


def mailed():
    return sorted(OutboxMessage.objects.values_list("recipient", flat=True))


def test_parallel_workers_do_each_row_once(action):
    assert sum(in_parallel(until_it_is_done)) == SIZE
    action.refresh_from_db()
    assert (action.state, action.done_count, action.refused_count) == ("finished", SIZE, 0)
    assert mailed() == sorted(f"person{number}@example.org" for number in range(SIZE))
    assert AuditEvent.objects.filter(action="invitation.resent").count() == SIZE


def test_two_choices_at_once_leave_one_draft():
    member = PartnerMemberFactory.create()

    def choose():
        now = timezone.now()
        return choose_rows(member=member, kind=BulkKind.REVOKE, keys=[1, 2], now=now)

    in_parallel(choose)
    [draft] = BulkAction.objects.drafts()
    assert (BulkAction.objects.count(), BulkActionRow.objects.count()) == (WORKERS, draft.size)


def test_without_the_lock_rows_are_done_twice(action, monkeypatch):
    """The control: all workers take the same row as it was before the first write."""
    looked = threading.Barrier(WORKERS)
    perform = bulk_actions._perform

    def look_together(*task):
        looked.wait(timeout=20)
        perform(*task)

    monkeypatch.setattr(BulkActionQuerySet, "select_for_update", lambda self, **_: self)
    monkeypatch.setattr(bulk_actions, "_perform", look_together)
    monkeypatch.setattr(bulk_actions, "SECONDS_AT_ONCE", 0.001)
    in_parallel(lambda: act_on_invitations(now=timezone.now()))
    assert mailed() == ["person0@example.org"] * 3


def test_worker_that_is_killed_leaves_nothing_half_done(action, monkeypatch):
    """Its connection is cut after a row's effect; another worker goes on where it was."""
    perform, done = bulk_actions._perform, []

    def cut_after_the_fifth(*task):
        perform(*task)
        done.append(task)
        if len(done) == 5:
            with connections["default"].cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                [pid] = cursor.fetchone()
            kill(pid)

    monkeypatch.setattr(bulk_actions, "_perform", cut_after_the_fifth)
    with pytest.raises(DATABASE_AWAY):
        until_it_is_done()
    connection.close()
    action.refresh_from_db()
    assert (action.done_count, len(mailed())) == (4, 4)
    until_it_is_done()
    assert mailed() == sorted(f"person{number}@example.org" for number in range(SIZE))


def kill(pid):
    """End that connection from another one, as a crash of its program does."""

    def end():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        connection.close()

    thread = threading.Thread(target=end)
    thread.start()
    thread.join()


def test_cancelling_beside_the_worker_stops_at_a_row(action, monkeypatch):
    """The cancellation waits for the row that the worker is at, and comes before the next one."""
    begun = threading.Event()

    def resend(*, invitation, **options):
        if not begun.is_set():
            begun.set()
            wait_until_someone_waits()
        return resend_invitation(invitation=invitation, **options)

    def cancel_or_work():
        if threading.current_thread().name.endswith("_0"):
            assert begun.wait(timeout=20)
            return cancel_bulk_action(action=action, by=action.created_by, now=timezone.now())
        return until_it_is_done()

    monkeypatch.setattr(bulk_invitations, "resend_invitation", resend)
    in_parallel(cancel_or_work, number=2)
    action.refresh_from_db()
    assert (action.state, action.done_count < SIZE) == ("cancelled", True)
    assert len(mailed()) == action.done_count == action.rows.filter(outcome="done").count() > 0
