"""Many at once near a quota: exactly as many are made as it allows."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from partners.enums import AssociationType, Channel
from partners.models import Invitation
from partners.services import quotas
from partners.services.invitations import create_invitation
from tests.factories import PartnerMemberFactory
from web.refused import Refused

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

PEOPLE = 8


def make_in_parallel(members):
    """Let each member make a link at the same moment; return how many were refused."""
    together = threading.Barrier(len(members))

    def one(member):
        try:
            connection.ensure_connection()
            together.wait(timeout=20)
            create_invitation(
                partner=member.partner,
                channel=Channel.LINK,
                association_type=AssociationType.RESELLER,
                label="Spring",
                by=member.user,
                now=timezone.now(),
            )
        except Refused:
            return 1
        finally:
            connection.close()
        return 0

    with ThreadPoolExecutor(len(members)) as people:
        return sum(people.map(one, members))


def test_one_partner_makes_exactly_its_quota(settings):
    settings.PARTNER_DAILY_INVITATIONS = 3
    first = PartnerMemberFactory.create()
    members = [first, *PartnerMemberFactory.create_batch(PEOPLE - 1, partner=first.partner)]
    assert make_in_parallel(members) == PEOPLE - 3
    assert Invitation.objects.count() == 3


def test_all_partners_make_exactly_the_sites_quota(settings):
    settings.DAILY_INVITATIONS = 3
    assert make_in_parallel(PartnerMemberFactory.create_batch(PEOPLE)) == PEOPLE - 3
    assert Invitation.objects.count() == 3


@pytest.mark.parametrize("quota", ["PARTNER_DAILY_INVITATIONS", "DAILY_INVITATIONS"])
def test_more_are_made_without_the_locks(settings, monkeypatch, quota):
    """The control: all read before the first write."""
    setattr(settings, quota, 3)
    looked = threading.Barrier(PEOPLE)
    check = quotas._check

    def look_together(*question):
        check(*question)
        looked.wait(timeout=20)

    monkeypatch.setattr(quotas, "lock_name", lambda name: None)
    monkeypatch.setattr(quotas, "_check", look_together)
    first = PartnerMemberFactory.create()
    members = [first, *PartnerMemberFactory.create_batch(PEOPLE - 1, partner=first.partner)]
    assert make_in_parallel(members) == 0
    assert Invitation.objects.count() == PEOPLE
