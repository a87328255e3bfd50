"""Actions on many invitations: fixed rows, an outcome each, nothing twice, present rights."""

from datetime import timedelta
from itertools import count

import pytest
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from association.services.invariants.checking import find_violations
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from outbox.services.suppression import hash_of, suppress
from partners.enums import BulkKind, BulkRefusal
from partners.models import BulkAction
from partners.services import bulk_invitations
from partners.services.bulk_actions import (
    MOST_RECENT,
    MOST_ROWS,
    cancel_bulk_action,
    choose_rows,
    do_few,
    has_running_bulk_actions,
    recent_bulk_actions,
    start_bulk_action,
)
from partners.services.bulk_invitations import PERFORMERS, act_on_invitations
from partners.services.invitations import (
    resend_invitation,
    revoke_invitation,
    revoke_unfinished_invitation,
)
from partners.services.retention import forget_bulk_actions
from tests.factories import (
    BulkActionFactory,
    InvitationFactory,
    PartnerMemberFactory,
    customer_of,
    mark_frozen,
)
from web.refused import Refused

pytestmark = pytest.mark.django_db

NOW = timezone.now()
DAY = timedelta(days=1)


@pytest.fixture
def member():
    return PartnerMemberFactory.create()


def own(member, **fields):
    return InvitationFactory.create(partner=member.partner, created_by=member.user, **fields)


def chosen(member, kind, rows):
    return choose_rows(member=member, kind=kind, keys=[row.pk for row in rows], now=NOW)


def started(member, kind, rows, **terms):
    action = chosen(member, kind, rows)
    return start_bulk_action(action=action, terms=terms, by=member.user, now=NOW)


def outcomes(action):
    return list(action.rows.order_by("number").values_list("outcome", flat=True))


def violations():
    """Return what breaks an invariant, but for the factories' uses without an association."""
    return [found for found in find_violations() if found.invariant != "I1"]


def test_each_row_gets_its_own_outcome(member):
    colleague = PartnerMemberFactory.create(partner=member.partner)
    rows = [
        own(member),
        own(member, revoked=True),
        own(member, used_up=True),
        own(member, expired=True),
        own(colleague),
    ]
    action = started(member, BulkKind.REVOKE, rows)
    assert act_on_invitations(now=NOW) == 5
    action.refresh_from_db()
    assert outcomes(action) == [
        "done",
        "invitation_revoked",
        "invitation_used_up",
        "done",
        "bulk_not_visible",
    ]
    assert (action.state, action.done_count, action.refused_count) == ("finished", 5, 3)
    for row in rows:
        row.refresh_from_db()
    assert [row.revoked_at == NOW for row in rows] == [True, False, False, True, False]
    assert act_on_invitations(now=NOW) == 0
    assert violations() == []


def test_action_is_its_members_and_in_the_activity(member):
    started(member, BulkKind.REVOKE, [own(member)])
    act_on_invitations(now=NOW)
    event = AuditEvent.objects.get(action="invitation.revoked")
    assert (event.actor, event.acted_for) == (member.user, member.partner_id)


def test_draft_does_nothing(member):
    invitation = own(member)
    chosen(member, BulkKind.REVOKE, [invitation])
    assert (act_on_invitations(now=NOW), has_running_bulk_actions(now=NOW)) == (0, False)
    invitation.refresh_from_db()
    assert invitation.revoked_at is None


def test_who_is_no_longer_a_member_does_nothing(member):
    action = started(member, BulkKind.REVOKE, [own(member)])
    member.delete()
    act_on_invitations(now=NOW)
    assert outcomes(action) == ["bulk_member_left"]


def test_who_is_blocked_does_nothing(member):
    invitation = own(member)
    action = started(member, BulkKind.REVOKE, [invitation])
    type(member.user).objects.filter(pk=member.user_id).update(is_active=False)
    act_on_invitations(now=NOW)
    assert outcomes(action) == ["bulk_member_left"]
    invitation.refresh_from_db()
    assert invitation.revoked_at is None


def test_cancelling_leaves_what_is_done(member, monkeypatch):
    rows = [own(member) for _ in range(3)]
    action = started(member, BulkKind.REVOKE, rows)
    # A clock that is beyond the second after one row.
    monkeypatch.setattr("partners.services.bulk_actions.monotonic", count(step=0.6).__next__)
    assert act_on_invitations(now=NOW) == 1
    cancelled = cancel_bulk_action(action=action, by=member.user, now=NOW)
    assert (cancelled.state, cancelled.done_count) == ("cancelled", 1)
    do_few(action=cancelled, performers=PERFORMERS)
    assert outcomes(action) == ["done", "", ""]
    again = cancel_bulk_action(action=action, by=member.user, now=NOW + DAY)
    assert again.cancelled_at == NOW


def test_starting_twice_is_starting_once(member):
    action = started(member, BulkKind.EXTEND, [own(member)], expires_at=(NOW + DAY).isoformat())
    terms = {"expires_at": (NOW + DAY).isoformat()}
    start_bulk_action(action=action, terms=terms, by=member.user, now=NOW)
    assert AuditEvent.objects.filter(action="bulk_action.started").count() == 1
    with pytest.raises(Refused) as refused:
        start_bulk_action(action=action, terms={}, by=member.user, now=NOW)
    assert refused.value.code == BulkRefusal.STARTED


def test_cancelled_draft_is_not_started(member):
    action = chosen(member, BulkKind.REVOKE, [own(member)])
    cancel_bulk_action(action=action, by=member.user, now=NOW)
    with pytest.raises(Refused) as refused:
        start_bulk_action(action=action, terms={}, by=member.user, now=NOW)
    assert refused.value.code == BulkRefusal.CANCELLED


def test_new_choice_discards_the_members_older_drafts_of_the_kind(member):
    colleague = PartnerMemberFactory.create(partner=member.partner)
    invitation = own(member)
    running = started(member, BulkKind.REVOKE, [invitation])
    others = [chosen(colleague, BulkKind.REVOKE, [invitation])]
    others.append(chosen(member, BulkKind.EXTEND, [invitation]))
    old = chosen(member, BulkKind.REVOKE, [invitation])
    new = chosen(member, BulkKind.REVOKE, [invitation])
    old.refresh_from_db()
    assert (old.state, old.cancelled_at, outcomes(old)) == ("cancelled", NOW, [])
    assert not AuditEvent.objects.filter(action="bulk_action.cancelled").exists()
    for kept, state in ((running, "running"), (new, "draft"), *((row, "draft") for row in others)):
        kept.refresh_from_db()
        assert (kept.state, outcomes(kept)) == (state, [""])
    assert violations() == []


def test_choice_that_is_refused_discards_nothing(member):
    draft = chosen(member, BulkKind.REVOKE, [own(member)])
    with pytest.raises(Refused):
        chosen(member, BulkKind.REVOKE, [])
    draft.refresh_from_db()
    assert (draft.state, outcomes(draft)) == ("draft", [""])


@pytest.mark.parametrize(
    ("number", "code"),
    [(0, BulkRefusal.NOTHING_CHOSEN), (MOST_ROWS + 1, BulkRefusal.TOO_MANY)],
)
def test_number_of_rows_is_limited(member, number, code):
    with pytest.raises(Refused) as refused:
        choose_rows(member=member, kind=BulkKind.REVOKE, keys=range(number), now=NOW)
    assert refused.value.code == code
    assert BulkAction.objects.count() == 0


def test_most_rows_are_stored_in_their_order(member):
    keys = list(range(MOST_ROWS, 0, -1))
    action = choose_rows(member=member, kind=BulkKind.REVOKE, keys=keys, now=NOW)
    rows = action.rows.order_by("number")
    assert list(rows.values_list("object_id", flat=True)) == keys
    assert action.size == MOST_ROWS


def test_sending_again_keeps_the_limits_of_each_recipient(member):
    mailed = own(member, email=True, recipient="ada@example.org")
    unwanted = own(member, email=True, recipient="bob@example.org")
    suppress(address_hash=hash_of("bob@example.org"), sender=member.partner, now=NOW)
    link = own(member)
    for _ in range(4):
        action = started(member, BulkKind.RESEND, [mailed, unwanted, link])
        act_on_invitations(now=NOW)
    assert outcomes(action) == ["mailed_too_often", "does_not_want_email", "not_by_email"]
    assert action.rows.get(number=1).again_at == NOW + DAY
    emails = OutboxMessage.objects.values_list("recipient", "is_bulk")
    assert list(emails) == [("ada@example.org", True)] * 3


def test_customers_are_not_sent_an_invitation_again_with_many_others(member):
    customer_of(member.partner, "lena@example.org")
    second = own(member, email=True, recipient="lena@example.org")
    action = started(member, BulkKind.RESEND, [second, own(member, email=True)])
    act_on_invitations(now=NOW)
    assert outcomes(action) == ["row_already_customer", "done"]
    assert not OutboxMessage.objects.filter(about_id=second.pk).exists()

    resend_invitation(invitation=second, by=member.user, now=NOW)
    assert OutboxMessage.objects.filter(about_id=second.pk).count() == 1


def test_extending_moves_the_expiry_and_shortens_nothing(member):
    until = NOW + 10 * DAY
    rows = [
        own(member, expires_at=NOW + DAY),
        own(member, expired=True),
        own(member, expires_at=NOW + 20 * DAY),
        own(member, expires_at=None),
        own(member, revoked=True),
        own(member, used_up=True),
        own(member, expires_at=until),
    ]
    action = started(member, BulkKind.EXTEND, rows, expires_at=until.isoformat())
    act_on_invitations(now=NOW)
    assert outcomes(action) == [
        *("done", "done", "bulk_lives_longer", "bulk_lives_longer"),
        *("invitation_revoked", "invitation_used_up", "done"),
    ]
    for row in rows:
        row.refresh_from_db()
    assert [row.expires_at == until for row in rows] == [
        *(True, True, False, False, False, False, True)
    ]
    assert violations() == []


def test_frozen_partner_sends_nothing(member):
    action = started(member, BulkKind.RESEND, [own(member, email=True)])
    mark_frozen(member.partner)
    act_on_invitations(now=NOW)
    assert outcomes(action) == ["partner_unavailable"]
    assert OutboxMessage.objects.count() == 0


def test_what_changed_between_choice_and_start_is_left_alone(member):
    invitation = own(member)
    action = chosen(member, BulkKind.REVOKE, [invitation])
    revoke_invitation(invitation=invitation, by=member.user, now=NOW - DAY)
    start_bulk_action(action=action, terms={}, by=member.user, now=NOW)
    do_few(action=action, performers=PERFORMERS)
    assert outcomes(action) == ["invitation_revoked"]
    invitation.refresh_from_db()
    assert invitation.revoked_at == NOW - DAY


def test_fault_in_the_middle_does_nothing_twice(member, monkeypatch):
    """The worker dies after a row's effect and before its outcome is stored."""
    rows = [own(member, email=True, recipient=f"p{n}@example.org") for n in range(3)]
    action = started(member, BulkKind.RESEND, rows)

    def die_after_the_second(*, invitation, **options):
        resend_invitation(invitation=invitation, **options)
        if invitation == rows[1]:
            raise SystemExit

    monkeypatch.setattr(bulk_invitations, "resend_invitation", die_after_the_second)
    with pytest.raises(SystemExit):
        act_on_invitations(now=NOW)
    assert outcomes(action) == ["done", "", ""]
    monkeypatch.setattr(bulk_invitations, "resend_invitation", resend_invitation)
    assert act_on_invitations(now=NOW) == 2
    recipients = OutboxMessage.objects.order_by("pk").values_list("recipient", flat=True)
    assert list(recipients) == ["p0@example.org", "p1@example.org", "p2@example.org"]


def test_error_of_one_row_is_logged_and_stops_no_other(member, monkeypatch, caplog):
    rows = [own(member, email=True, recipient=f"p{n}@example.org") for n in range(3)]
    action = started(member, BulkKind.RESEND, rows)

    def fail_after_the_second(*, invitation, **options):
        resend_invitation(invitation=invitation, **options)
        if invitation == rows[1]:
            raise KeyError("a mistake of ours")

    monkeypatch.setattr(bulk_invitations, "resend_invitation", fail_after_the_second)
    assert act_on_invitations(now=NOW) == 3
    assert outcomes(action) == ["done", "bulk_failed", "done"]
    recipients = OutboxMessage.objects.order_by("pk").values_list("recipient", flat=True)
    assert list(recipients) == ["p0@example.org", "p2@example.org"]
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.msg["event"] == "bulk_action.row_failed"
    assert record.exc_info[0] is KeyError


@pytest.mark.parametrize("sqlstate", ["57014", "55P03"])
def test_row_that_waits_too_long_stops_no_other(member, monkeypatch, sqlstate):
    rows = [own(member) for _ in range(2)]
    action = started(member, BulkKind.REVOKE, rows)

    class TooLong(Exception):
        def __init__(self):
            self.sqlstate = sqlstate

    def revoke(*, invitation, **options):
        if invitation == rows[0]:
            raise OperationalError from TooLong()
        return revoke_unfinished_invitation(invitation=invitation, **options)

    monkeypatch.setattr(bulk_invitations, "revoke_unfinished_invitation", revoke)
    assert act_on_invitations(now=NOW) == 2
    assert outcomes(action) == ["bulk_failed", "done"]


def test_database_that_is_away_is_no_outcome(member, monkeypatch):
    action = started(member, BulkKind.REVOKE, [own(member)])

    def away(**_options):
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(bulk_invitations, "revoke_unfinished_invitation", away)
    with pytest.raises(OperationalError):
        act_on_invitations(now=NOW)
    assert outcomes(action) == [""]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "sing"},
        {"size": 0},
        {"done_count": 2},
        {"done_count": 1},
        {"started_at": NOW, "done_count": 1, "refused_count": 2},
        {"started_at": NOW, "finished_at": NOW},
        {"finished_at": NOW},
        {"started_at": NOW, "done_count": 1, "finished_at": NOW, "cancelled_at": NOW},
    ],
)
def test_impossible_actions_cannot_be_stored(wrong):
    action = BulkActionFactory.create()
    with pytest.raises(IntegrityError), transaction.atomic():
        BulkAction.objects.filter(pk=action.pk).update(**wrong)


def test_old_drafts_are_cancelled_and_old_rows_deleted(member, settings):
    age = settings.RETENTION["DRAFTS"]
    rows = [own(member), own(member)]
    ended, draft = started(member, BulkKind.REVOKE, rows), chosen(member, BulkKind.REVOKE, rows)
    act_on_invitations(now=NOW)
    assert forget_bulk_actions(now=NOW + age - DAY) == 0
    assert forget_bulk_actions(now=NOW + age) == 3
    draft.refresh_from_db()
    ended.refresh_from_db()
    assert (draft.state, ended.state, ended.done_count) == ("cancelled", "finished", 2)
    assert (outcomes(ended), len(outcomes(draft))) == ([], 2)
    assert forget_bulk_actions(now=NOW + 2 * age) == 2
    assert forget_bulk_actions(now=NOW + 2 * age) == 0
    assert violations() == []


def ended(member, moment, *, field="cancelled_at"):
    more = {"done_count": 1} if field == "finished_at" else {}
    begun = {"created_at": moment - 3 * DAY, "started_at": moment - 3 * DAY}
    return BulkActionFactory.create(
        partner=member.partner, created_by=member.user, **{field: moment}, **begun, **more
    )


def test_running_action_is_not_pushed_out_by_cancelled_ones(member):
    running = started(member, BulkKind.REVOKE, [own(member)])
    for minutes in range(MOST_RECENT):
        ended(member, NOW - timedelta(minutes=minutes))
    recent = recent_bulk_actions(member, PERFORMERS, now=NOW)
    assert len(recent) == MOST_RECENT
    assert recent[0] == running


def test_recent_actions_ended_within_a_day_the_last_one_first(member):
    finished = ended(member, NOW - timedelta(hours=1), field="finished_at")
    cancelled = ended(member, NOW - timedelta(hours=2))
    last = ended(member, NOW - timedelta(minutes=1))
    for field in ("finished_at", "cancelled_at"):
        ended(member, NOW - DAY, field=field)
    assert list(recent_bulk_actions(member, PERFORMERS, now=NOW)) == [last, finished, cancelled]
