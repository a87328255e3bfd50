"""Two administrators at the same moment: one of them stays an administrator."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone

from association.services import associations
from association.services.associations import AssociationRefused, associate
from association.services.customers import CustomerRefused, assign_manager
from association.services.invariants.trail import trail_equals_state
from partners.models import PartnerMember, PartnerRole
from partners.services.members import (
    MemberRefused,
    accept_member_invitation,
    answering,
    change_member,
    changing,
    remove_member,
)
from tests.factories import (
    CustomerAccountFactory,
    InvitationFactory,
    MemberInvitationFactory,
    PartnerMemberFactory,
    make_associated,
    make_attempt,
)

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


def at_once(*acts):
    """Do all acts at the same moment, each on a connection of its own; what each raised."""
    together = threading.Barrier(len(acts))

    def acting(act):
        try:
            connection.ensure_connection()
            together.wait(timeout=20)
            act()
        except (MemberRefused, CustomerRefused, AssociationRefused) as refused:
            return type(refused)
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(len(acts)) as people:
        return list(people.map(acting, acts))


def test_a_member_being_removed_gets_no_customer_behind_the_trail():
    boss = PartnerMemberFactory.create(administrator=True)
    customer = make_associated(invitation=InvitationFactory.create(partner=boss.partner))
    for _ in range(10):
        leaving = PartnerMemberFactory.create(partner=boss.partner)
        give = partial(
            assign_manager,
            association=customer,
            manager=leaving,
            by=boss.user,
            now=timezone.now(),
        )
        remove = partial(remove_member, member=leaving, by=boss.user, now=timezone.now())
        at_once(give, remove)
        customer.refresh_from_db()
        assert customer.manager_id is None
    assert list(trail_equals_state()) == []


def join_and_accept():
    """Let one user accept a membership and join a partner at once; whether each was refused."""
    account = CustomerAccountFactory.create(enabled=True)
    attempt = make_attempt(account=account)
    offer = MemberInvitationFactory.create(address=account.owner.email)
    joining = partial(associate, attempt=attempt, by=account.owner, address=None)
    accepting = partial(
        accept_member_invitation, invitation=offer, by=account.owner, now=timezone.now()
    )
    return at_once(joining, accepting)


def test_nobody_becomes_member_and_customer_at_once():
    for _ in range(10):
        outcome = join_and_accept()
        assert outcome.count(None) == 1, outcome


def test_someone_becomes_both_without_the_lock(monkeypatch):
    """The control: who accepts does not wait for who joins."""
    looked = threading.Barrier(2)
    write, add = associations._write_association, changing.add_member

    def looked_then(do):
        def wait_and_do(*args, **options):
            looked.wait(timeout=20)
            return do(*args, **options)

        return wait_and_do

    monkeypatch.setattr(associations, "_write_association", looked_then(write))
    monkeypatch.setattr(answering, "add_member", looked_then(add))
    monkeypatch.setattr(answering, "lock_account_of", lambda user: None)
    assert join_and_accept() == [None, None]
