"""Batches of e-mails: each good row is mailed once, after crashes and cancelling too."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from audit.models import AuditEvent
from outbox.models import OutboxMessage
from outbox.services.queue import claim_messages
from outbox.services.rendering import Undeliverable, build_email, render_message
from partners.contact_lists.reading import read_list
from partners.models import BatchRow, Invitation
from partners.services import mailings
from partners.services.batches import cancel_batch
from partners.services.invitation_drafts import enqueue_invitation_emails
from partners.services.invitations import create_invitation, revoke_invitation
from partners.services.mailings import draft_mailing, mail_batches, start_mailing
from partners.services.retention import discard_old_drafts
from tests.factories import PartnerFactory, PartnerMemberFactory, UserFactory, mark_frozen
from web.refused import Refused

pytestmark = pytest.mark.django_db

NOW = datetime(2030, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def member():
    return PartnerMemberFactory.create(partner__reseller_only=True)


def drafted(member, text, now=NOW, **terms):
    terms = {"association_type": "reseller", "label": "Fair", "is_bound": True, **terms}
    return draft_mailing(
        partner=member.partner, people=read_list(text).people, by=member.user, now=now, **terms
    )


def started(member, text, now=NOW, *, invites_again=False, **terms):
    batch = drafted(member, text, now, **terms)
    words = {"subject": "", "note": "", "invites_again": invites_again}
    return start_mailing(batch=batch, by=member.user, now=now, **words)


def work(now=NOW):
    steps = []
    while done := mail_batches(now=now):
        steps.append(done)
    return steps


def addresses(count, first=0):
    return "\n".join(f"p{number:04}@example.org" for number in range(first, first + count))


def test_500_rows_with_37_bad_mail_the_good_ones_once(member):
    rows = [
        "broken@" if number % 13 == 0 and number < 481 else f"p{number:03}@example.org"
        for number in range(500)
    ]
    batch = started(member, "\n".join(rows))
    assert (batch.size, batch.rows.exclude(problem="").count()) == (463, 37)
    assert work() == [50] * 9 + [13]
    batch.refresh_from_db()
    assert (batch.state, batch.done_count, batch.refused_count) == ("finished", 463, 0)
    mailed = OutboxMessage.objects.values_list("recipient", flat=True)
    assert sorted(mailed) == sorted(row for row in rows if row != "broken@")
    assert batch.invitations.count() == 463
    assert AuditEvent.objects.filter(action="invitation.created").count() == 463
    assert work() == []


def test_crash_in_a_chunk_repeats_and_loses_nothing(member, monkeypatch):
    monkeypatch.setattr(mailings, "CHUNK", 2)
    batch = started(member, addresses(5))
    mail_batches(now=NOW)

    def crash(invitations, **_):
        enqueue_invitation_emails(invitations[:1], now=NOW)
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr(mailings, "enqueue_invitation_emails", crash)
        with pytest.raises(MemoryError):
            mail_batches(now=NOW)
    batch.refresh_from_db()
    assert (batch.done_count, OutboxMessage.objects.count()) == (2, 2)
    assert work() == [2, 1]
    mailed = list(OutboxMessage.objects.order_by("pk").values_list("recipient", flat=True))
    assert mailed == addresses(5).splitlines()


def test_person_is_mailed_three_times_a_day_over_all_batches(member):
    for _ in range(3):
        started(member, "ann@example.org\nbob@example.org", invites_again=True)
        work()
    other = PartnerMemberFactory.create()
    batch = started(other, "ann@example.org\ncarl@example.org")
    work()
    batch.refresh_from_db()
    assert (batch.state, batch.done_count, batch.refused_count) == ("finished", 2, 1)
    row = batch.rows.get(email="ann@example.org")
    assert (row.problem, row.invitation) == ("mailed_too_often", None)
    assert OutboxMessage.objects.filter(recipient="ann@example.org").count() == 3
    later = started(other, "ann@example.org", NOW + timedelta(days=1))
    work(NOW + timedelta(days=1))
    assert later.invitations.count() == 1


def test_cancelled_batch_keeps_what_is_sent(member, monkeypatch):
    monkeypatch.setattr(mailings, "CHUNK", 2)
    batch = started(member, addresses(5))
    mail_batches(now=NOW)
    cancel_batch(batch=batch, by=member.user, now=NOW)
    assert work() == []
    assert (Invitation.objects.count(), OutboxMessage.objects.count()) == (2, 2)


def test_batch_of_a_frozen_partner_is_stopped(member):
    batch = started(member, addresses(3))
    mark_frozen(member.partner)
    assert work() == [1]
    batch.refresh_from_db()
    assert (batch.state, batch.stop_reason, batch.done_count) == (
        "cancelled",
        "partner_unavailable",
        0,
    )
    assert AuditEvent.objects.filter(action="batch.stopped").count() == 1
    assert not OutboxMessage.objects.exists()


def test_batch_that_expires_while_it_runs_is_stopped(member):
    batch = started(member, addresses(3), expires_at=NOW + timedelta(hours=1))
    assert work(NOW + timedelta(hours=2)) == [1]
    batch.refresh_from_db()
    assert (batch.state, batch.stop_reason) == ("cancelled", "expiry_not_ahead")


def test_invitations_of_a_list_have_the_order_of_its_file(member, monkeypatch):
    monkeypatch.setattr(mailings, "CHUNK", 3)
    people = [f"{name}@example.org" for name in ("zoe", "ann", "max", "bob", "eva", "cid", "ada")]
    batch = started(member, "\n".join(people))
    for seconds in range(3):
        mail_batches(now=NOW + timedelta(seconds=seconds))
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(member.user)
    page = client.get(f"/partner/invitations/?batch={batch.pk}")
    assert [row["invitation"].recipient for row in page.context["rows"]] == people
    assert page.context["listing"].form.fields["order"].choices[0][1] == "As in the batch"
    mailed = OutboxMessage.objects.order_by("pk").values_list("recipient", flat=True)
    assert list(mailed) == people


def test_two_batches_are_mailed_one_after_the_other(member, monkeypatch):
    monkeypatch.setattr(mailings, "CHUNK", 2)
    first = started(member, addresses(3))
    second = started(member, addresses(3, 10), NOW + timedelta(seconds=1))
    assert work(NOW + timedelta(minutes=1)) == [2, 1, 2, 1]
    assert [message.about_id for message in OutboxMessage.objects.order_by("pk")] == [
        str(invitation.pk)
        for batch in (first, second)
        for invitation in batch.invitations.order_by("batch_row__number")
    ]


def test_one_email_passes_those_of_a_batch(member):
    started(member, addresses(2))
    work()
    create_invitation(
        partner=member.partner,
        channel="email",
        association_type="reseller",
        label="One",
        recipient="one@example.org",
        by=member.user,
        now=NOW,
    )
    claimed = claim_messages(now=NOW, limit=1)
    assert [message.recipient for message in claimed] == ["one@example.org"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"association_type": "referral"}, "type_not_allowed"),
        ({"expires_at": NOW}, "expiry_not_ahead"),
    ],
)
def test_list_of_invitations_that_cannot_be_followed_is_not_saved(member, changed, code):
    with pytest.raises(Refused) as refused:
        drafted(member, addresses(1), **changed)
    assert refused.value.code == code
    assert not AuditEvent.objects.exists()


def test_invitation_of_a_batch_is_like_any_other(member):
    batch = started(member, "Ada,ada@example.org,FR,", note="", language="en", country="IE")
    work()
    made = batch.invitations.get()
    assert (made.label, made.recipient_name, str(made.country)) == ("Ada", "Ada", "FR")
    assert (made.is_bound, made.max_uses, made.mailed_at) == (True, 1, NOW)
    assert made.expires_at == NOW + timedelta(days=7)
    assert batch.rows.get().invitation == made
    revoke_invitation(invitation=made, by=UserFactory.create(), now=NOW)


def test_draft_of_a_partner_that_may_not_invite_is_not_kept():
    member = PartnerMemberFactory.create(partner=PartnerFactory.create(frozen=True))
    with pytest.raises(Refused):
        drafted(member, addresses(1))


def test_draft_that_is_not_started_is_cancelled_after_seven_days(member):
    old, begun = drafted(member, addresses(2)), started(member, addresses(1, first=7))
    week = NOW + timedelta(days=7)
    young = drafted(member, addresses(2), NOW + timedelta(seconds=90))
    assert discard_old_drafts(now=week - timedelta(seconds=1)) == 0
    assert discard_old_drafts(now=week) == 1
    assert discard_old_drafts(now=week) == 0
    for batch in (old, begun, young):
        batch.refresh_from_db()
    assert (old.cancelled_at, old.cancelled_by) == (week, None)
    assert (begun.state, young.state) == ("running", "draft")
    [event] = AuditEvent.objects.filter(action="batch.cancelled")
    assert (event.object_id, event.actor) == (str(old.pk), None)


def test_address_that_todays_rules_refuse_stops_no_batch(member):
    """The rows have what the rules of an earlier version accepted."""
    batch = started(member, addresses(2))
    row = batch.rows.order_by("number").first()
    BatchRow.objects.filter(pk=row.pk).update(email="person=?@example.org")

    assert work() == [2]

    batch.refresh_from_db()
    assert (batch.done_count, batch.refused_count, batch.stop_reason) == (2, 0, "")
    message = OutboxMessage.objects.get(recipient="person=?@example.org")
    with pytest.raises(Undeliverable):
        build_email(message, render_message(message))


def test_the_reference_of_a_row_becomes_that_of_its_invitation(member):
    batch = drafted(member, "name,email,reference\nAda,ada@example.org,K-7\n")
    row = batch.rows.get()
    assert mailings.draft_of_row(batch, row, NOW).reference == "K-7"
