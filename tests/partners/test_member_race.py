"""Two administrators at the same moment: one of them stays an administrator."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from association.services import associations
from association.services.associations import associate
from association.services.customers import assign_manager
from association.services.invariants.trail import trail_equals_state
from partners.enums import PartnerRole
from partners.models import PartnerMember
from partners.services import members
from partners.services.member_invitations import accept_member_invitation
from partners.services.members import add_member, change_member, remove_member
from tests.factories import (
    CustomerAccountFactory,
    InvitationFactory,
    MemberInvitationFactory,
    PartnerMemberFactory,
    make_associated,
    make_attempt,
)
from web.refused import Refused

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


def demote(**arguments):
    change_member(role=PartnerRole.MANAGER, may_see_addresses=False, **arguments)


def each_acts_on_the_other(action):
    """Run it for two administrators at once; return how many were refused."""
    one = PartnerMemberFactory.create(administrator=True)
    other = PartnerMemberFactory.create(administrator=True, partner=one.partner)
    together = threading.Barrier(2)

    def run(pair):
        by, theirs = pair
        try:
            connection.ensure_connection()
            together.wait(timeout=20)
            action(member=theirs, by=by.user, now=timezone.now())
        except Refused:
            return 1
        finally:
            connection.close()
        return 0

    with ThreadPoolExecutor(2) as people:
        return sum(people.map(run, [(one, other), (other, one)]))


def administrators():
    return PartnerMember.objects.filter(role=PartnerRole.ADMINISTRATOR).count()


@pytest.mark.parametrize("action", [demote, remove_member])
def test_one_administrator_stays(action):
    for _ in range(5):
        PartnerMember.objects.all().delete()
        assert each_acts_on_the_other(action) == 1
        assert administrators() == 1


@pytest.mark.parametrize("action", [demote, remove_member])
def test_none_stays_without_the_lock(action, monkeypatch):
    """The control: both read before the first write."""
    looked = threading.Barrier(2)
    look = members._keep_an_administrator

    def look_together(member):
        look(member)
        looked.wait(timeout=20)

    monkeypatch.setattr(members, "lock_members", lambda partner_id: None)
    monkeypatch.setattr(members, "_keep_an_administrator", look_together)
    assert each_acts_on_the_other(action) == 0
    assert administrators() == 0


def at_once(*actions):
    """Run all actions at once, each on its own connection; return what each raised."""
    together = threading.Barrier(len(actions))

    def run(action):
        try:
            connection.ensure_connection()
            together.wait(timeout=20)
            action()
        except Refused as refused:
            return type(refused)
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(len(actions)) as people:
        return list(people.map(run, actions))


def test_member_being_removed_gets_no_customer_without_an_event():
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


def begun_before_the_end_of(first, second):
    """Start the second before the first commits; return what each raised."""
    acted, waits = threading.Event(), threading.Event()

    def acting_first():
        try:
            with transaction.atomic():
                first()
                acted.set()
                waits.wait(timeout=20)
        finally:
            acted.set()
            connection.close()

    def acting_second(process):
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                process.append(cursor.fetchone()[0])
            second()
        except (Refused, IntegrityError) as refused:
            return type(refused)
        finally:
            connection.close()
        return None

    process: list[int] = []
    with ThreadPoolExecutor(2) as people:
        one = people.submit(acting_first)
        acted.wait(timeout=20)
        other = people.submit(acting_second, process)
        wait_until_blocked(process, other)
        waits.set()
        one.result()
        return other.result()


def wait_until_blocked(process, future):
    until = time.monotonic() + 20
    while time.monotonic() < until and not future.done():
        if process:
            with connection.cursor() as cursor:
                cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", process)
                if cursor.fetchone()[0]:
                    return
        time.sleep(0.01)


@pytest.fixture
def giving_and_removing():
    boss = PartnerMemberFactory.create(administrator=True)
    customer = make_associated(invitation=InvitationFactory.create(partner=boss.partner))
    leaving = PartnerMemberFactory.create(partner=boss.partner)
    now = timezone.now()
    give = partial(assign_manager, association=customer, manager=leaving, by=boss.user, now=now)
    remove = partial(remove_member, member=leaving, by=boss.user, now=now)
    return customer, give, remove


def test_removal_waits_for_who_makes_the_member_a_manager(giving_and_removing):
    customer, give, remove = giving_and_removing

    assert begun_before_the_end_of(give, remove) is None

    customer.refresh_from_db()
    assert customer.manager_id is None
    assert list(trail_equals_state()) == []


def test_making_a_manager_waits_for_the_removal(giving_and_removing):
    customer, give, remove = giving_and_removing

    assert begun_before_the_end_of(remove, give) is Refused

    customer.refresh_from_db()
    assert customer.manager_id is None
    assert list(trail_equals_state()) == []


def test_removal_breaks_without_the_members_lock(giving_and_removing, monkeypatch):
    """The control: the removal does not see the new customer."""
    _, give, remove = giving_and_removing
    monkeypatch.setattr(
        members, "lock_member", lambda pk: PartnerMember.objects.filter(pk=pk).first()
    )

    assert begun_before_the_end_of(give, remove) is IntegrityError


def accept(user):
    offer = MemberInvitationFactory.create(address=user.email)
    return partial(accept_member_invitation, invitation=offer, by=user, now=timezone.now())


def be_added(user):
    boss = PartnerMemberFactory.create(administrator=True)
    return partial(
        add_member,
        partner=boss.partner,
        user=user,
        role=PartnerRole.MANAGER,
        by=boss.user,
        now=timezone.now(),
    )


def join_and_become_member(how):
    """Let one user join a partner and become a member at once; return what each raised."""
    account = CustomerAccountFactory.create(enabled=True)
    attempt = make_attempt(account=account)
    joining = partial(associate, attempt=attempt, by=account.owner, address=None)
    return at_once(joining, how(account.owner))


@pytest.mark.parametrize("how", [accept, be_added])
def test_user_does_not_become_member_and_customer_at_once(how):
    for _ in range(10):
        outcome = join_and_become_member(how)
        assert outcome.count(None) == 1, outcome


@pytest.mark.parametrize("how", [accept, be_added])
def test_someone_becomes_both_without_the_lock(how, monkeypatch):
    """The control: both read before the first write."""
    looked = threading.Barrier(2)
    write, look = associations._write_association, members.membership_problem

    def write_later(*args):
        looked.wait(timeout=20)
        return write(*args)

    def look_first(user):
        found = look(user)
        looked.wait(timeout=20)
        return found

    monkeypatch.setattr(associations, "_write_association", write_later)
    monkeypatch.setattr(members, "membership_problem", look_first)
    monkeypatch.setattr(members, "lock_account_of", lambda user: None)
    assert join_and_become_member(how) == [None, None]
