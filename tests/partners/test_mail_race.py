"""Many at once for one person: exactly three are mailed."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import OutboxMessage
from partners.enums import AssociationType, Channel
from partners.models import Invitation
from partners.services.invitations import InvitationNotSaved, create_invitation, mailing
from tests.factories import PartnerFactory

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

PEOPLE = 8


def invite_in_parallel():
    """Let eight partners invite the same person at the same moment; how many were refused."""
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
        except InvitationNotSaved:
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
    """The control: all look before anyone has written."""
    looked = threading.Barrier(PEOPLE)
    look = mailing.has_mails_left

    def look_together(**question):
        answer = look(**question)
        looked.wait(timeout=20)
        return answer

    monkeypatch.setattr(mailing, "lock_name", lambda name: None)
    monkeypatch.setattr(mailing, "has_mails_left", look_together)
    assert invite_in_parallel() == 0
    assert OutboxMessage.objects.count() == PEOPLE
