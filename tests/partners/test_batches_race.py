"""Many workers at once on one batch: exactly as many links as it has, each number once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from partners.models import Invitation, InvitationBatch
from partners.models.batches import InvitationBatchQuerySet
from partners.services import batches
from partners.services.batches import make_batches
from tests.factories import InvitationBatchFactory

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

WORKERS = 6
SIZE = 60


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(batches, "CHUNK", 5)


def in_parallel(work):
    """Run it in six workers at the same moment; return the result of each."""
    together = threading.Barrier(WORKERS)

    def one(_):
        try:
            connection.ensure_connection()
            together.wait(timeout=20)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as people:
        return list(people.map(one, range(WORKERS)))


def until_it_is_done():
    """Work until no batch runs: another worker may have locked the only one."""
    done = 0
    while InvitationBatch.objects.running().exists():
        done += make_batches(now=timezone.now())
    return done


def test_parallel_workers_make_exactly_the_size():
    batch = InvitationBatchFactory.create(size=SIZE, label="Fair {n}")
    assert sum(in_parallel(until_it_is_done)) == SIZE
    batch.refresh_from_db()
    assert (batch.state, batch.done_count) == ("finished", SIZE)
    labels = Invitation.objects.values_list("label", flat=True)
    assert sorted(labels) == sorted(f"Fair {number}" for number in range(1, SIZE + 1))


def test_more_are_made_without_the_lock(monkeypatch):
    """The control: all take the same batch as it was before the first write."""
    InvitationBatchFactory.create(size=SIZE, label="Fair {n}")
    looked = threading.Barrier(WORKERS)
    make_some = batches._make_some

    def look_together(*work):
        looked.wait(timeout=20)
        return make_some(*work)

    monkeypatch.setattr(InvitationBatchQuerySet, "select_for_update", lambda self, **_: self)
    monkeypatch.setattr(batches, "_make_some", look_together)
    assert in_parallel(lambda: make_batches(now=timezone.now())) == [5] * WORKERS
    assert Invitation.objects.filter(label="Fair 1").count() == WORKERS
