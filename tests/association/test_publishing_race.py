"""Publishing instructions while accounts join: each agreed to the version of its moment."""

import threading

import pytest
from django.db import connection, transaction
from django.utils import timezone

from association.enums import JourneyRefusal
from association.models import Association, DocumentKind, LegalDocument
from association.services import associations, documents
from association.services.associations import associate
from association.services.documents import load_shipped_documents, publish_document
from association.services.invariants.checking import find_violations
from partners.services.invitation_use import use_invitation
from tests.journeys.walk import document, ready_attempt
from web.refused import Refused

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

PATIENCE = 20


@pytest.fixture
def draft():
    load_shipped_documents()
    old = document(DocumentKind.INSTRUCTIONS)
    return LegalDocument.objects.create(
        kind=old.kind, language="en", version=old.version + 1, title="Newer", body="Newer."
    )


@pytest.fixture
def unlocked(monkeypatch):
    """Let the publication exclude nobody."""
    monkeypatch.setattr(documents, "lock_name", lambda name: None)


def publish(draft):
    return publish_document(document=draft, by=None, now=timezone.now())


def outcome(attempt):
    try:
        associate(attempt=attempt, by=attempt.account.owner, address=None)
    except Refused as refused:
        return refused.code
    return "associated"


def elsewhere(act, *arguments):
    """Start `act` on a connection of its own; return the thread and the list for its result."""
    results = []

    def run():
        try:
            results.append(act(*arguments))
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, results


def waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return cursor.fetchone()[0] > 0


def wait_until(thread):
    """Wait until the other transaction waits for a lock, or has ended."""
    for _ in range(PATIENCE * 20):
        if waits_for_a_lock() or not thread.is_alive():
            return
        thread.join(0.05)
    pytest.fail("The other transaction neither waits nor ends.")


def associate_while_publishing(attempt, draft):
    with transaction.atomic():
        publish(draft)
        thread, results = elsewhere(outcome, attempt)
        wait_until(thread)
    thread.join(PATIENCE)
    return results


def publish_while_associating(attempt, draft, monkeypatch):
    """Publish when the association has read the clock, before it commits."""
    decided, go_on = threading.Event(), threading.Event()

    def use_late(**options):
        decided.set()
        assert go_on.wait(PATIENCE)
        use_invitation(**options)

    monkeypatch.setattr(associations, "use_invitation", use_late)
    joining, results = elsewhere(outcome, attempt)
    assert decided.wait(PATIENCE)
    publishing, _published = elsewhere(publish, draft)
    wait_until(publishing)
    is_waited_for = publishing.is_alive()
    go_on.set()
    joining.join(PATIENCE)
    publishing.join(PATIENCE)
    return results, is_waited_for


def violations():
    return {violation.invariant for violation in find_violations()}


def test_who_joins_during_a_publication_must_agree_to_the_new_version(draft):
    results = associate_while_publishing(ready_attempt(registered=True), draft)

    assert results == [JourneyRefusal.STEP_UNDONE]
    assert not Association.objects.exists()


@pytest.mark.usefixtures("unlocked")
def test_without_the_lock_one_joins_by_a_version_that_is_in_force_no_more(draft):
    results = associate_while_publishing(ready_attempt(registered=True), draft)

    assert results == ["associated"]
    assert violations() == {"I3"}


def test_a_publication_waits_for_who_is_joining(draft, monkeypatch):
    results, is_waited_for = publish_while_associating(
        ready_attempt(registered=True), draft, monkeypatch
    )

    assert (results, is_waited_for) == (["associated"], True)
    draft.refresh_from_db()
    assert Association.objects.get().associated_at < draft.published_at
    assert violations() == set()


@pytest.mark.usefixtures("unlocked")
def test_without_the_lock_a_publication_waits_for_nobody(draft, monkeypatch):
    results, is_waited_for = publish_while_associating(
        ready_attempt(registered=True), draft, monkeypatch
    )

    assert (results, is_waited_for) == (["associated"], False)
