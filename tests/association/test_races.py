"""Many requests at once on PostgreSQL, each race with its positive control.

A control removes the guard and must then fail, which shows that the race tests something.
"""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, models, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import CustomerAccount, Freeze
from association.models import Association, Consent
from association.services import associations
from association.services.associations import (
    associate,
)
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from partners.models import Invitation
from partners.services.invitation_use import InvitationRefused
from partners.services.invitations import revoke_invitation
from partners.services.members import remove_member
from tests.factories import (
    CustomerAccountFactory,
    InvitationFactory,
    PartnerMemberFactory,
    make_attempt,
)
from tests.journeys.walk import invite, ready_attempt, walk_of
from tests.lock_waits import wait_until_someone_waits
from web.refused import Refused

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("waits_without_limit"),
]

PATIENCE = 30
REFUSED = (Refused, InvitationRefused)


def at_once(act, arguments):
    """Run `act` for every argument, each on its own connection, all starting together."""
    gate = threading.Barrier(len(arguments))

    def run(argument):
        try:
            connection.ensure_connection()
            gate.wait(timeout=PATIENCE)
            return act(argument)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(run, arguments))


def outcome(attempt):
    """Associate as the attempt's account; the name of what came of it."""
    try:
        associate(attempt=attempt, by=attempt.account.owner, address=None)
    except REFUSED as refused:
        return str(refused) or refused.code
    return "associated"


def new_attempts(invitation, count):
    """Attempts of new accounts that registered through this link."""
    with transaction.atomic():
        return [
            ready_attempt(
                account=CustomerAccountFactory.create(enabled=True),
                invitation=invitation,
                registered=True,
            )
            for _ in range(count)
        ]


def rows_of(invitation):
    """How many associations there are, and how many the invitation believes there are."""
    invitation.refresh_from_db()
    return Association.objects.filter(invitation=invitation).count(), invitation.used_count


def drop(constraint, table):
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")


@pytest.fixture
def without_use_limit():
    """Take the last guard of the use count out of the database, for one control."""
    table, name = "partners_invitation", "invitation_is_used_at_most_max_uses_times"
    guard = next(c for c in Invitation._meta.constraints if c.name == name)
    drop(name, table)
    yield
    Invitation.objects.update(max_uses=None)
    with connection.schema_editor() as editor:
        editor.add_constraint(Invitation, guard)


@pytest.fixture
def without_one_in_force():
    """Take the last guard against two partners out of the database, for one control."""
    name = "one_association_in_force_per_account"
    guard = next(c for c in Association._meta.constraints if c.name == name)
    with connection.schema_editor() as editor:
        editor.remove_constraint(Association, guard)
    yield
    Association.objects.all().update(ended_at=F("associated_at") + timedelta(days=1))
    with connection.schema_editor() as editor:
        editor.add_constraint(Association, guard)


@pytest.fixture
def unlocked(monkeypatch):
    """Make `select_for_update()` lock nothing."""
    monkeypatch.setattr(
        models.QuerySet, "select_for_update", lambda rows, *args, **options: rows.all()
    )


@pytest.fixture
def together(monkeypatch):
    """Let all decide before one writes; gives the number of threads to wait for."""

    def wait_for(count):
        gate = threading.Barrier(count)
        decide = associations._decide

        def decide_and_wait(*arguments):
            admission = decide(*arguments)
            gate.wait(timeout=PATIENCE)
            return admission

        monkeypatch.setattr(associations, "_decide", decide_and_wait)

    return wait_for


def test_two_browsers_on_one_use_make_one_association_fifty_times():
    with transaction.atomic():
        invitations = [InvitationFactory.create(max_uses=1) for _ in range(50)]
        pairs = [new_attempts(invitation, 2) for invitation in invitations]
    gate = threading.Barrier(2)

    def browse(number):
        results = []
        for pair in pairs:
            gate.wait(timeout=PATIENCE)
            results.append(outcome(pair[number]))
        return results

    rounds = list(zip(*at_once(browse, [0, 1]), strict=True))
    assert [sorted(results) for results in rounds] == [["associated", "invitation_used_up"]] * 50
    assert [rows_of(invitation) for invitation in invitations] == [(1, 1)] * 50


@pytest.mark.parametrize("people", [16, 40])
def test_five_uses_make_exactly_five_associations(people):
    invitation = InvitationFactory.create(max_uses=5)
    results = Counter(at_once(outcome, new_attempts(invitation, people)))
    assert results == {"associated": 5, "invitation_used_up": people - 5}
    assert rows_of(invitation) == (5, 5)
    assert Freeze.objects.count() == 5
    assert AuditEvent.objects.filter(action="association.made").count() == 5
    assert OutboxMessage.objects.filter(kind="association.associated").count() == 5


def test_uses_are_oversold_by_looking_before_acting(monkeypatch, together, without_use_limit):
    """The control: everybody decides first, then counts without asking again."""

    def count_only(*, invitation, now):
        Invitation.objects.filter(pk=invitation.pk).update(used_count=F("used_count") + 1)

    invitation = InvitationFactory.create(max_uses=1)
    attempts = new_attempts(invitation, 4)
    monkeypatch.setattr(associations, "use_invitation", count_only)
    together(len(attempts))
    assert Counter(at_once(outcome, attempts)) == {"associated": 4}
    assert rows_of(invitation) == (4, 4)


def two_partners(account):
    return [ready_attempt(account=account, invitation=invite(account)) for _ in range(2)]


def test_one_account_and_two_partners_make_one_association_of_two_hundred_posts():
    account = CustomerAccountFactory.create(enabled=True)
    attempts = two_partners(account)
    walks = [walk_of(attempts[number % 2]) for number in range(10)]

    def post(walk):
        return [walk.post("confirm") for _ in range(20)]

    answers = [answer for answers in at_once(post, walks) for answer in answers]
    winner = Association.objects.get()
    loser = next(a for a in attempts if a != winner.attempt)
    assert len(answers) == 200
    assert Counter(answer.status_code for answer in answers) == {303: 100, 409: 100}
    sentence = f"You already work with <bdi>{winner.partner.name}</bdi>"
    assert all(sentence in a.content.decode() for a in answers if a.status_code == 409)
    assert rows_of(winner.invitation) == (1, 1)
    assert rows_of(loser.invitation) == (0, 0)
    assert Freeze.objects.count() == 1
    assert AuditEvent.objects.filter(action="association.made").count() == 1


def test_one_account_gets_two_partners_without_locks_and_constraint(
    unlocked, together, without_one_in_force, monkeypatch
):
    """The control: neither the account's lock nor the partial unique constraint."""
    account = CustomerAccountFactory.create(enabled=True)
    attempts = two_partners(account)
    # The account has one open freeze of a cause: the second is not stored.
    monkeypatch.setattr(
        associations,
        "open_freeze",
        lambda **options: Freeze(cause=options["cause"], scope=options["scope"]),
    )
    together(2)
    assert at_once(outcome, attempts) == ["associated", "associated"]
    assert Association.objects.in_force().filter(account=account).count() == 2


def test_constraint_alone_is_enough_without_any_lock(unlocked, together):
    """The last guard: without locks one of two is associated, the other is refused."""
    account = CustomerAccountFactory.create(enabled=True)
    attempts = two_partners(account)
    together(2)
    assert sorted(at_once(outcome, attempts)) == ["already_associated", "associated"]
    assert Association.objects.count() == 1
    assert sorted(rows_of(attempt.invitation) for attempt in attempts) == [(0, 0), (1, 1)]


def test_two_hundred_parallel_repeats_by_one_customer_make_one_of_everything():
    attempt = ready_attempt(letter=True)
    walks = [walk_of(attempt) for _ in range(20)]

    def post(walk):
        return [walk.post("confirm") for _ in range(10)]

    answers = [answer for answers in at_once(post, walks) for answer in answers]
    done = {(answer.status_code, answer["Location"]) for answer in answers}
    assert len(answers) == 200
    assert done == {(303, walks[0].url("done"))}
    assert Association.objects.count() == 1
    assert rows_of(attempt.invitation) == (1, 1)
    assert Freeze.objects.count() == 1
    assert Consent.objects.count() == 2
    made = AuditEvent.objects.filter(action="association.made")
    emails = OutboxMessage.objects.filter(kind="association.associated")
    assert (made.count(), emails.count()) == (1, 1)


def test_parallel_repeats_write_twice_without_the_lock(
    unlocked, together, without_one_in_force, monkeypatch
):
    """The control: the second writer is stopped only by the attempt's own uniqueness."""
    attempt = ready_attempt()
    written = []
    write = associations._write_association

    def note(*arguments):
        written.append(1)
        return write(*arguments)

    monkeypatch.setattr(associations, "_write_association", note)
    together(2)
    results = sorted(at_once(outcome, [attempt, attempt]))
    assert results == ["already_associated", "associated"]
    assert len(written) == 2


@pytest.mark.parametrize("run", range(5))
def test_after_a_revocation_is_committed_no_account_is_associated(run):
    invitation = InvitationFactory.create()
    attempts = new_attempts(invitation, 12)
    late = []
    revoked = threading.Event()

    def act(attempt):
        if attempt is None:
            revoke_invitation(invitation=invitation, by=None, now=timezone.now())
            revoked.set()
            return "revoked"
        began_after = revoked.is_set()
        result = outcome(attempt)
        if began_after and result == "associated":
            late.append(attempt)
        return result

    results = Counter(at_once(act, [*attempts[:6], None, *attempts[6:]]))
    assert results["associated"] + results["invitation_revoked"] == 12
    assert rows_of(invitation) == (results["associated"],) * 2
    assert late == []


def test_association_that_waits_for_the_revocation_is_refused():
    invitation = InvitationFactory.create()
    (attempt,) = new_attempts(invitation, 1)
    assert associate_behind_a_revocation(invitation, attempt) == "invitation_revoked"
    assert rows_of(invitation) == (0, 0)
    assert Freeze.objects.count() == 0


def test_association_overtakes_the_revocation_without_the_last_condition(monkeypatch):
    """The control: the use is counted without asking again whether the invitation is live."""

    def count_only(*, invitation, now):
        Invitation.objects.filter(pk=invitation.pk).update(used_count=F("used_count") + 1)

    monkeypatch.setattr(associations, "use_invitation", count_only)
    invitation = InvitationFactory.create()
    (attempt,) = new_attempts(invitation, 1)
    assert associate_behind_a_revocation(invitation, attempt) == "associated"


def associate_behind_a_revocation(invitation, attempt):
    """Let an association wait at the invitation's row for a revocation that is being written."""

    def act(attempt):
        try:
            return outcome(attempt)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            revoke_invitation(invitation=invitation, by=None, now=timezone.now())
            waiting = pool.submit(act, attempt)
            wait_until_someone_waits()
        return waiting.result(timeout=PATIENCE)


def test_a_hot_link_is_locked_by_its_last_statement_only():
    """While one association locks its account, another on the same link does not wait."""
    invitation = InvitationFactory.create(max_uses=2)
    slow, quick = new_attempts(invitation, 2)

    def act(attempt):
        try:
            # A pooler would keep what is set for longer than a transaction.
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '5s'")
                return outcome(attempt)
        except OperationalError as error:
            return str(error)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        CustomerAccount.objects.select_for_update().get(pk=slow.account_id)
        assert pool.submit(act, quick).result(timeout=PATIENCE) == "associated"
    assert outcome(slow) == "associated"
    assert rows_of(invitation) == (2, 2)


def test_who_joins_while_the_inviting_member_is_removed_joins_without_a_manager(monkeypatch):
    boss = PartnerMemberFactory.create(administrator=True)
    leaving = PartnerMemberFactory.create(partner=boss.partner)
    invitation = InvitationFactory.create(partner=boss.partner, created_by=leaving.user)
    attempt = make_attempt(
        invitation=invitation, account=CustomerAccountFactory.create(enabled=True)
    )
    enqueue, tried = associations._enqueue_emails, []

    def remove():
        try:
            remove_member(member=leaving, by=boss.user, now=timezone.now())
        finally:
            connection.close()

    def enqueue_after_the_removal(*arguments):
        tried.append(1)
        with ThreadPoolExecutor(1) as somebody_else:
            somebody_else.submit(remove).result(timeout=20)
        enqueue(*arguments)

    monkeypatch.setattr(associations, "_enqueue_emails", enqueue_after_the_removal)
    association = associate(attempt=attempt, by=attempt.account.owner, address=None)

    assert len(tried) == 2
    assert association.manager is None
    assert Association.objects.count() == 1
    assert AuditEvent.objects.filter(action="association.made").count() == 1
    assert OutboxMessage.objects.filter(kind="association.associated").count() == 1
    invitation.refresh_from_db()
    assert invitation.used_count == 1
