"""Retention jobs: what is old is deleted or shortened, what is in use stays, nothing breaks."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import VerificationCode
from accounts.services.retention import delete_old_codes
from association.models import Association, Attempt, Consent
from association.services.attempts import remember_registration
from association.services.invariants.checking import find_violations
from association.services.retention import (
    delete_abandoned_attempts,
    forget_addresses_of_attempts,
    shorten_addresses_of_consents,
)
from audit import retention
from audit.models import AuditEvent
from audit.retention import shorten_addresses_of_events
from audit.services import record_audit_event
from outbox.enums import OutboxRefusal
from outbox.models import OutboxMessage
from outbox.services.background import Background
from outbox.services.queue import OutgoingMessage, enqueue_messages, revive_message
from outbox.services.retention import forget_recipients
from partners.enums import InvitationProblem
from partners.models import BatchRow, Invitation, InvitationRequest, MemberInvitation
from partners.models.invitations import REMOVED_ADDRESS
from partners.services.invitations import create_invitation, resend_invitation, revoke_invitation
from partners.services.member_invitations import invite_member
from partners.services.retention import (
    discard_old_drafts,
    forget_asking_people,
    forget_invited_members,
    forget_invited_people,
    forget_listed_people,
)
from tests.factories import (
    AttemptFactory,
    BatchRowFactory,
    InvitationBatchFactory,
    InvitationFactory,
    InvitationRequestFactory,
    LegalDocumentFactory,
    PartnerMemberFactory,
    UserFactory,
    end_by_provider,
    make_associated,
)
from web.email_addresses import mask_addresses
from web.origin import Origin, set_origin
from web.refused import Refused
from web.retention import delete_expired_sessions

pytestmark = pytest.mark.django_db

NOW = timezone.now()
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
YEAR = 365 * DAY


@pytest.fixture(autouse=True)
def _invariants():
    yield
    assert list(find_violations()) == []


@pytest.mark.parametrize(("age", "stays"), [(DAY - SECOND, True), (DAY, False)])
def test_sessions_are_deleted_a_day_after_they_expired(age, stays):
    Session.objects.create(session_key="a" * 32, session_data="x", expire_date=NOW - age)

    assert delete_expired_sessions(now=NOW) == (0 if stays else 1)
    assert Session.objects.exists() is stays


@pytest.mark.parametrize(("age", "stays"), [(7 * DAY - SECOND, True), (7 * DAY, False)])
def test_codes_are_deleted_after_a_week(age, stays):
    sent_at = NOW - age
    VerificationCode.objects.create(
        email="ann@example.org",
        purpose="register",
        sent_at=sent_at,
        expires_at=sent_at,
    )

    assert delete_old_codes(now=NOW) == (0 if stays else 1)
    assert VerificationCode.objects.exists() is stays


def email(age, **ends):
    user = UserFactory.create()
    outgoing = OutgoingMessage("accounts.registered", "ann@example.org", user, "en", {"a": 1})
    [message] = enqueue_messages(messages=[outgoing], now=NOW - age)
    OutboxMessage.objects.filter(pk=message.pk).update(deadline_at=NOW + YEAR, **ends)
    return message


@pytest.mark.parametrize(
    ("age", "ends", "stays"),
    [
        (90 * DAY - SECOND, {"sent_at": NOW}, True),
        (90 * DAY, {"sent_at": NOW}, False),
        (90 * DAY, {"dropped_at": NOW, "drop_reason": "late"}, False),
        (90 * DAY, {"dead_at": NOW}, False),
        (90 * DAY, {}, True),
    ],
)
def test_recipients_of_old_emails_are_forgotten_and_the_rows_stay(age, ends, stays):
    message = email(age, **ends)

    assert forget_recipients(now=NOW) == (0 if stays else 1)
    assert forget_recipients(now=NOW) == 0
    message.refresh_from_db()
    left = (message.recipient, message.data)
    assert left == (("ann@example.org", {"a": 1}) if stays else ("", {}))


def test_emails_of_two_administrators_are_still_two():
    administrators = {"administrator": True, "partner": InvitationFactory.create().partner}
    for _number in range(2):
        PartnerMemberFactory.create(**administrators)
    make_associated(invitation=InvitationFactory.create(partner=administrators["partner"]))
    OutboxMessage.objects.update(sent_at=NOW)

    assert forget_recipients(now=NOW + YEAR) > 2


def test_a_dead_email_without_recipient_is_not_sent_again():
    message = email(90 * DAY, dead_at=NOW)
    forget_recipients(now=NOW)

    with pytest.raises(Refused) as refused:
        revive_message(message=message, by=None, now=NOW)
    assert refused.value.code == OutboxRefusal.RECIPIENT_FORGOTTEN


@pytest.mark.parametrize(
    ("values", "stays"),
    [
        ({"started_at": NOW - 90 * DAY}, False),
        ({"started_at": NOW - 90 * DAY + SECOND}, True),
        ({"started_at": NOW - 90 * DAY, "code_asked_at": NOW - DAY}, True),
        ({"started_at": NOW - 90 * DAY, "instructions_agreed_at": NOW - 90 * DAY}, False),
        ({"started_at": NOW - 90 * DAY, "instructions_agreed_at": NOW - 90 * DAY + SECOND}, True),
        ({"started_at": NOW - YEAR, "entered": True}, True),
    ],
)
def test_attempts_without_account_are_deleted_after_90_days(values, stays):
    agreed_to = LegalDocumentFactory.create() if "instructions_agreed_at" in values else None
    attempt = AttemptFactory.create(instructions=agreed_to, **values)

    assert delete_abandoned_attempts(now=NOW) == (0 if stays else 1)
    assert Attempt.objects.filter(pk=attempt.pk).exists() is stays


def test_the_trail_says_that_an_audited_attempt_was_deleted():
    attempt = AttemptFactory.create(started_at=NOW - YEAR)
    remember_registration(
        attempt=attempt, email="ann@example.org", country="DE", code_asked_at=NOW - YEAR
    )
    record_audit_event(action="attempt.address_revealed", about=attempt, by=None, now=NOW - YEAR)

    delete_abandoned_attempts(now=NOW)

    actions = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["attempt.address_revealed", "attempt.deleted"]


def invited(now, **terms):
    terms = {
        "label": "Ann Lee",
        "recipient_name": "Ann Lee",
        "recipient": "ann@example.org",
    } | terms
    member = PartnerMemberFactory.create()
    return create_invitation(
        partner=member.partner,
        channel="email",
        association_type="reseller",
        by=member.user,
        now=now,
        **terms,
    )


def person_in(invitation):
    invitation.refresh_from_db()
    return invitation.recipient, invitation.recipient_name, invitation.label


def test_the_recipient_of_an_expired_invitation_is_removed_after_a_year():
    invitation = invited(NOW)
    end = invitation.expires_at + YEAR

    assert forget_invited_people(now=end - SECOND) == 0
    assert forget_invited_people(now=end) == 1
    assert forget_invited_people(now=end) == 0
    assert person_in(invitation) == (REMOVED_ADDRESS, "", REMOVED_ADDRESS)
    with pytest.raises(Refused) as refused:
        resend_invitation(invitation=invitation, by=None, now=end)
    assert refused.value.code == InvitationProblem.RECIPIENT_REMOVED


def test_an_address_in_the_label_is_removed_and_was_never_in_the_trail():
    invitation = invited(NOW, label="Call ann@example.org, not joann@example.org")

    forget_invited_people(now=NOW + 2 * YEAR)

    assert person_in(invitation)[2] == f"Call {REMOVED_ADDRESS}, not joann@example.org"
    labels = {event.after["label"] for event in AuditEvent.objects.all()}
    assert labels == {
        mask_addresses("Call ann@example.org, not joann@example.org"),
        mask_addresses(f"Call {REMOVED_ADDRESS}, not joann@example.org"),
    }


def test_the_recipient_of_a_revoked_invitation_is_removed_a_year_after():
    invitation = invited(NOW, expires_at=NOW + 3 * YEAR)
    revoke_invitation(invitation=invitation, by=None, now=NOW)

    assert forget_invited_people(now=NOW + YEAR - SECOND) == 0
    assert forget_invited_people(now=NOW + YEAR) == 1


def test_the_recipient_of_a_customer_stays_until_a_year_after_the_end():
    invitation = invited(NOW, is_bound=False)
    association = make_associated(invitation=invitation, now=NOW)
    ended_at = NOW + 2 * YEAR

    assert forget_invited_people(now=ended_at) == 0
    end_by_provider(association, reason="Moved on", now=ended_at)
    assert forget_invited_people(now=ended_at + YEAR - SECOND) == 0
    assert forget_invited_people(now=ended_at + YEAR) == 1
    assert Association.objects.get().invitation.recipient == REMOVED_ADDRESS


def test_people_of_old_lists_are_forgotten():
    finished = InvitationBatchFactory.create(
        email=True, size=1, done_count=1, refused_count=1, finished_at=NOW
    )
    running = InvitationBatchFactory.create(email=True)
    for batch in (finished, running):
        BatchRowFactory.create(batch=batch)

    assert forget_listed_people(now=NOW + YEAR - SECOND) == 0
    assert forget_listed_people(now=NOW + YEAR) == 1
    assert BatchRow.objects.named().get().batch == running


def test_people_of_a_forgotten_draft_are_forgotten():
    row = BatchRowFactory.create(batch__created_at=NOW)
    cancelled_at = NOW + 7 * DAY

    assert [discard_old_drafts(now=cancelled_at - SECOND), forget_listed_people(now=NOW)] == [0, 0]
    assert discard_old_drafts(now=cancelled_at) == 1
    assert forget_listed_people(now=cancelled_at + 7 * DAY - SECOND) == 0
    assert forget_listed_people(now=cancelled_at + 7 * DAY) == 1
    row.refresh_from_db()
    assert (row.name, row.email, row.country, row.note) == ("", "", "", "")


def test_addresses_of_closed_requests_are_removed_and_open_ones_stay():
    partner = PartnerMemberFactory.create().partner
    values = {"invitation__partner": partner, "partner": partner}
    opened = InvitationRequestFactory.create(requested_at=NOW - 3 * YEAR, **values)
    for _number in range(2):
        InvitationRequestFactory.create(closed_at=NOW, **values)

    assert forget_asking_people(now=NOW + YEAR - SECOND) == 0
    assert forget_asking_people(now=NOW + YEAR) == 2
    assert forget_asking_people(now=NOW + YEAR) == 0
    kept = InvitationRequest.objects.exclude(address=REMOVED_ADDRESS)
    assert [request.pk for request in kept] == [opened.pk]


def test_invited_members_are_forgotten_a_year_after_the_expiry():
    member = PartnerMemberFactory.create(administrator=True)
    for number in range(2):
        invite_member(
            partner=member.partner,
            address=f"colleague{number}@example.org",
            role="manager",
            by=member.user,
            now=NOW,
        )
    end = MemberInvitation.objects.first().expires_at + YEAR

    assert forget_invited_members(now=end - SECOND) == 0
    assert forget_invited_members(now=end) == 2
    assert forget_invited_members(now=end) == 0
    assert set(MemberInvitation.objects.values_list("address", "withdrawn_at")) == {
        (REMOVED_ADDRESS, end)
    }


@pytest.fixture
def _from_an_address():
    set_origin(Origin(network_address="198.51.100.7", request_id="r"))
    yield
    set_origin(Origin())


def addresses(rows):
    return set(rows.values_list("network_address", flat=True))


@pytest.mark.usefixtures("_from_an_address")
def test_network_addresses_are_shortened_after_a_year():
    make_associated(now=NOW)
    events, consents = AuditEvent.objects.exclude(occurred_at__gt=NOW), Consent.objects
    jobs = (
        shorten_addresses_of_events,
        shorten_addresses_of_consents,
        forget_addresses_of_attempts,
    )

    assert [job(now=NOW + YEAR - SECOND) for job in jobs] == [0, 0, 0]
    assert [addresses(events), addresses(consents)] == [{"198.51.100.7"}, {"192.0.2.7"}]
    assert all(job(now=NOW + YEAR + DAY) for job in jobs)
    assert [job(now=NOW + YEAR + DAY) for job in jobs] == [0, 0, 0]
    assert [addresses(events), addresses(consents)] == [{"198.51.100.0"}, {"192.0.2.0"}]
    assert Attempt.objects.get().instructions_network_address is None


@pytest.mark.usefixtures("_from_an_address")
def test_many_events_of_one_moment_are_all_shortened(monkeypatch):
    monkeypatch.setattr(retention, "ROWS_AT_ONCE", 2)
    user = UserFactory.create()
    for _number in range(5):
        record_audit_event(action="a.b", about=user, by=None, now=NOW)

    assert [shorten_addresses_of_events(now=NOW + YEAR) for _round in range(4)] == [2, 2, 1, 0]
    assert addresses(AuditEvent.objects) == {"198.51.100.0"}


def test_the_address_of_an_open_attempt_stays():
    attempt = AttemptFactory.create(entered=True, started_at=NOW - 2 * YEAR)
    Attempt.objects.filter(pk=attempt.pk).update(instructions_network_address="192.0.2.7")

    assert forget_addresses_of_attempts(now=NOW) == 0


def test_the_worker_does_all_of_it_and_then_rests():
    make_associated(invitation=invited(NOW, is_bound=False), now=NOW)
    background, late = Background(), NOW + 3 * YEAR
    OutboxMessage.objects.update(sent_at=NOW)

    while background.work(now=late):
        pass

    assert not OutboxMessage.objects.exclude(recipient="").exists()
    # The association is in force.
    assert Invitation.objects.get().recipient == "ann@example.org"
    assert addresses(Consent.objects) == {"192.0.2.0"}
    Session.objects.create(session_key="a" * 32, session_data="x", expire_date=NOW)
    assert background.work(now=late + timedelta(minutes=59)) == 0
    assert background.work(now=late + timedelta(hours=1)) == 1
