"""Two administrators at the same moment: one of them stays an administrator."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from partners.models import PartnerMember, PartnerRole
from partners.services.members import MemberRefused, change_member, changing, remove_member
from tests.factories import PartnerMemberFactory

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


def demote(**act):
    change_member(role=PartnerRole.MANAGER, may_see_addresses=False, **act)


def each_acts_on_the_other(act):
    """Let two administrators act on each other at once; how many were refused."""
    one = PartnerMemberFactory.create(administrator=True)
    other = PartnerMemberFactory.create(administrator=True, partner=one.partner)
    together = threading.Barrier(2)

    def acting(pair):
        by, theirs = pair
        try:
            connection.ensure_connection()
            together.wait(timeout=20)
            act(member=theirs, by=by.user, now=timezone.now())
        except MemberRefused:
            return 1
        finally:
            connection.close()
        return 0

    with ThreadPoolExecutor(2) as people:
        return sum(people.map(acting, [(one, other), (other, one)]))


def administrators():
    return PartnerMember.objects.filter(role=PartnerRole.ADMINISTRATOR).count()


@pytest.mark.parametrize("act", [demote, remove_member])
def test_one_administrator_stays(act):
    for _ in range(5):
        PartnerMember.objects.all().delete()
        assert each_acts_on_the_other(act) == 1
        assert administrators() == 1


@pytest.mark.parametrize("act", [demote, remove_member])
def test_none_stays_without_the_lock(act, monkeypatch):
    """The control: both look before either has written."""
    looked = threading.Barrier(2)
    look = changing._keep_an_administrator

    def look_together(member):
        look(member)
        looked.wait(timeout=20)

    monkeypatch.setattr(changing, "lock_members", lambda partner_id: None)
    monkeypatch.setattr(changing, "_keep_an_administrator", look_together)
    assert each_acts_on_the_other(act) == 0
    assert administrators() == 0
