"""Two workers: what one works on, the other skips, and does not wait for."""

import threading
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from accounts.models import VerificationCode
from accounts.services.retention import delete_old_codes
from association.models import Attempt
from association.services.retention import delete_abandoned_attempts
from audit.models import AuditEvent, ShorteningProgress
from audit.retention import shorten_addresses_of_events
from audit.services import record_audit_event
from outbox.models import Event, OutboxMessage
from outbox.services.events import number_events, publish
from outbox.services.queue import OutgoingMessage, enqueue_messages
from outbox.services.retention import delete_old_events, forget_recipients
from partners.models import Invitation
from partners.services.retention import forget_invited_people
from tests.factories import AttemptFactory, InvitationFactory, UserFactory
from web.retention import delete_expired_sessions

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

NOW = timezone.now()
LATE = NOW + timedelta(days=3 * 365)


def make_old_rows():
    user = UserFactory.create()
    Session.objects.create(session_key="a" * 32, session_data="x", expire_date=NOW)
    VerificationCode.objects.create(
        email="a@example.org", purpose="register", sent_at=NOW, expires_at=NOW
    )
    outgoing = OutgoingMessage("accounts.registered", "ann@example.org", user, "en")
    enqueue_messages(messages=[outgoing], now=NOW)
    OutboxMessage.objects.update(sent_at=NOW)
    publish(kind="a.b", about=user, partner_id=None, now=NOW)
    number_events(now=NOW)
    AttemptFactory.create(started_at=NOW)
    InvitationFactory.create(email=True)
    record_audit_event(action="a.b", about=user, by=None, now=NOW)
    ShorteningProgress.objects.create(model_label=AuditEvent._meta.label_lower)


def locked(model):
    with transaction.atomic():
        return len(model.objects.select_for_update())


def elsewhere(work):
    """Run the work on another connection that waits for no lock longer than a second."""
    results = []

    def run():
        try:
            # A pooler would keep what is set for longer than a transaction.
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '1s'")
                results.append(work())
        except OperationalError:
            results.append("waited")
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return results[0]


JOBS = [
    (delete_expired_sessions, Session),
    (delete_old_codes, VerificationCode),
    (forget_recipients, OutboxMessage),
    (delete_old_events, Event),
    (delete_abandoned_attempts, Attempt),
    (forget_invited_people, Invitation),
    (shorten_addresses_of_events, ShorteningProgress),
]


@pytest.mark.parametrize(("job", "model"), JOBS)
def test_a_job_skips_what_another_worker_has_locked(job, model):
    make_old_rows()

    with transaction.atomic():
        assert list(model.objects.select_for_update())
        assert elsewhere(lambda: job(now=LATE)) == 0
    assert elsewhere(lambda: job(now=LATE)) >= 1


@pytest.mark.parametrize("model", [model for _job, model in JOBS])
def test_without_skipping_it_would_wait(model):
    make_old_rows()

    with transaction.atomic():
        assert list(model.objects.select_for_update())
        assert elsewhere(lambda: locked(model)) == "waited"
