"""Two workers that remind at the same moment: one e-mail for each attempt."""

import threading
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from association.models import ResumeReminder
from association.services import last_day_reminders as service
from association.services.last_day_reminders import remind_of_last_day
from outbox.models import OutboxMessage
from tests.association.test_races import PATIENCE, at_once
from tests.factories import CustomerAccountFactory
from tests.factories.association import AttemptFactory

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

WORKERS, ATTEMPTS = 2, 5


def e_mails(monkeypatch) -> int:
    """Let two workers look before either writes; return how many e-mails there are."""
    now = timezone.now()
    with transaction.atomic():
        for _ in range(ATTEMPTS):
            account = CustomerAccountFactory.create(registered_at=now - timedelta(days=6, hours=1))
            moments = {"entered_at": account.registered_at, "deferred_at": account.registered_at}
            AttemptFactory.create(account=account, **moments)
    both_have_looked = threading.Barrier(WORKERS)
    is_first = service._is_first

    def wait_first(attempt, now):
        if not getattr(waited, "done", False):
            waited.done = True
            both_have_looked.wait(timeout=PATIENCE)
        return is_first(attempt, now)

    waited = threading.local()
    monkeypatch.setattr(service, "_is_first", wait_first)
    at_once(lambda _worker: remind_of_last_day(now=now), range(WORKERS))
    return OutboxMessage.objects.filter(kind=service.KIND).count()


def test_two_workers_send_one_e_mail_per_attempt(monkeypatch):
    assert e_mails(monkeypatch) == ATTEMPTS
    assert ResumeReminder.objects.count() == ATTEMPTS


def test_without_the_constraint_there_are_more(monkeypatch):
    """The control: no row says that the other worker was first."""
    monkeypatch.setattr(service, "_is_first", lambda attempt, now: True)
    assert e_mails(monkeypatch) == WORKERS * ATTEMPTS
