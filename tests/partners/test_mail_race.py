"""Many at once for one person: exactly three are mailed."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from outbox.models import OutboxMessage
from partners.enums import AssociationType, Channel
from partners.models import Invitation
from partners.services import quotas
from partners.services.invitations import create_invitation
from tests.factories import PartnerFactory
from web.refused import Refused

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

PEOPLE = 8


def invite_in_parallel():
    """Let eight partners invite one person at the same moment; return how many were refused."""
    together = threading.Barrier(PEOPLE)

    def one(partner):
        try:
            connection.ensure_connection()
            together.wait(timeout=20)
            create_invitation(
                partner=partner,
                channel=Channel.EMAIL,
                association_type=AssociationType.RESELLER,
                label="Spring",
                recipient="ann@example.org",
                by=None,
                now=timezone.now(),
            )
        except Refused:
            return 1
        finally:
            connection.close()
        return 0

    with ThreadPoolExecutor(PEOPLE) as people:
        return sum(people.map(one, PartnerFactory.create_batch(PEOPLE)))


def test_exactly_three_are_mailed():
    assert invite_in_parallel() == PEOPLE - 3
    assert (Invitation.objects.count(), OutboxMessage.objects.count()) == (3, 3)


def test_more_are_mailed_without_the_lock(monkeypatch):
    """The control: all read before the first write."""
    looked = threading.Barrier(PEOPLE)
    look = quotas.recipients_at_limit

    def look_together(recipients, *, now):
        answer = look(recipients, now=now)
        looked.wait(timeout=20)
        return answer

    monkeypatch.setattr(quotas, "lock_name", lambda name: None)
    monkeypatch.setattr(quotas, "recipients_at_limit", look_together)
    assert invite_in_parallel() == 0
    assert OutboxMessage.objects.count() == PEOPLE
