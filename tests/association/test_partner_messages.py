"""A partner's member writes to refused people and to people who put joining off; not too often."""

import html
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from association.enums import AssociationRefusal, JourneyRefusal, MessageKind
from association.models import Attempt, PartnerMessage
from association.services.invariants.related_rows import related_rows_agree
from association.services.partner_messages import PAUSE, advise, remind_to_finish
from audit.models import AuditEvent
from outbox.models import DEADLINE_PASSED, OutboxMessage
from outbox.services.queue import drop_message, mark_dead
from outbox.services.rendering import Stale
from outbox.services.suppression import hash_of, suppress
from tests.factories import (
    AttemptFactory,
    CustomerAccountFactory,
    InvitationFactory,
    PartnerMemberFactory,
    make_associated,
)
from tests.factories.partners import mark_frozen
from tests.reading_mails import READER, links, write
from web.refused import Refused
from web.templatetags.moments import moment

pytestmark = pytest.mark.django_db

BASE = "http://127.0.0.1:8000"
NOW = timezone.now()
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
REMINDER, ADVICE = "association.reminder", "association.advice"


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True)


@pytest.fixture
def invitation(boss):
    return InvitationFactory.create(partner=boss.partner, created_by=boss.user)


def put_off(invitation, *, age=2 * DAY, **values):
    registered_at = NOW - age
    account = CustomerAccountFactory.create(registered_at=registered_at)
    return AttemptFactory.create(
        invitation=invitation,
        account=account,
        entered_at=registered_at,
        deferred_at=registered_at + MINUTE,
        **values,
    )


def refused(invitation, *codes):
    return AttemptFactory.create(
        invitation=invitation,
        entered=True,
        refused=True,
        refusal_codes=list(codes or ["unpaid_bills"]),
    )


def mailed(kind):
    return list(OutboxMessage.objects.filter(kind=kind).values_list("recipient", flat=True))


def post(member, attempt, action, **values):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(member.user)
    return client.post(f"/partner/history/{attempt.pk}/{action}", values)


def unsubscribe(attempt):
    address_hash = hash_of(attempt.account.owner.email)
    suppress(address_hash=address_hash, sender=attempt.partner, now=NOW)


def test_reminder_leads_back_and_ends_with_the_last_moment(boss, invitation):
    attempt = put_off(invitation)

    remind_to_finish(attempt=attempt, by=boss.user, now=NOW)

    message = OutboxMessage.objects.get(kind=REMINDER)
    assert (message.recipient, message.language) == (attempt.account.owner.email, "en")
    assert message.deadline_at == attempt.account.registered_at + 7 * DAY
    email = write(REMINDER, attempt)
    assert email.subject == f"{boss.partner.name} reminds you to finish joining"
    unsubscribe_path = email.headers["List-Unsubscribe"].removeprefix(f"<{BASE}").removesuffix(">")
    assert links(email) == {f"/join/{attempt.pk}/", unsubscribe_path}
    assert email.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    [event] = AuditEvent.objects.filter(action="attempt.reminded")
    assert (event.actor, event.object_id) == (boss.user, str(attempt.pk))


def test_one_account_is_reminded_once_in_24_hours(boss, invitation):
    attempt = put_off(invitation)
    other = AttemptFactory.create(
        invitation=InvitationFactory.create(partner=boss.partner),
        account=attempt.account,
        entered_at=attempt.entered_at,
        deferred_at=attempt.deferred_at,
    )
    remind_to_finish(attempt=attempt, by=boss.user, now=NOW)

    for again in (attempt, other):
        with pytest.raises(Refused) as refusal:
            remind_to_finish(attempt=again, by=boss.user, now=NOW + PAUSE - MINUTE)
        assert refusal.value.code == AssociationRefusal.WRITTEN_TOO_OFTEN
        assert refusal.value.again_at == NOW + PAUSE
    assert len(mailed(REMINDER)) == 1

    remind_to_finish(attempt=other, by=boss.user, now=NOW + PAUSE)

    assert len(mailed(REMINDER)) == 2
    [newest] = PartnerMessage.objects.all()
    assert (newest.attempt, newest.sent_at, newest.sent_by) == (other, NOW + PAUSE, boss.user)


def test_another_partner_may_remind_the_same_account(boss, invitation):
    attempt = put_off(invitation)
    moments = {"entered_at": attempt.entered_at, "deferred_at": attempt.deferred_at}
    other = AttemptFactory.create(account=attempt.account, **moments)
    remind_to_finish(attempt=attempt, by=boss.user, now=NOW)
    remind_to_finish(attempt=other, by=boss.user, now=NOW)
    assert len(mailed(REMINDER)) == 2


def test_the_database_keeps_one_newest_message_of_a_kind(boss, invitation):
    attempt = put_off(invitation)
    remind_to_finish(attempt=attempt, by=boss.user, now=NOW)
    same = {"partner": attempt.partner, "account": attempt.account, "attempt": attempt}
    with pytest.raises(IntegrityError), transaction.atomic():
        PartnerMessage.objects.create(**same, kind=MessageKind.REMINDER, sent_at=NOW)
    PartnerMessage.objects.create(**same, kind=MessageKind.ADVICE, sent_at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        PartnerMessage.objects.create(**same, kind="nonsense", sent_at=NOW)


@pytest.mark.parametrize(
    ("values", "age"),
    [
        pytest.param({"deferred_at": None}, 2 * DAY, id="never put off"),
        pytest.param({"decided_at": NOW, "refused_at": NOW}, 2 * DAY, id="refused"),
        pytest.param({}, 7 * DAY, id="too late"),
    ],
)
def test_who_cannot_finish_is_not_reminded(boss, invitation, values, age):
    attempt = put_off(invitation, age=age)
    Attempt.objects.filter(pk=attempt.pk).update(**{"deferred_at": attempt.deferred_at, **values})
    with pytest.raises(Refused) as refusal:
        remind_to_finish(attempt=attempt, by=boss.user, now=NOW)
    assert refusal.value.code == AssociationRefusal.NOT_POSSIBLE
    assert (mailed(REMINDER), PartnerMessage.objects.count()) == ([], 0)


def test_nobody_is_reminded_of_a_revoked_invitation_or_by_a_frozen_partner(boss, invitation):
    attempt = put_off(invitation)
    mark_frozen(boss.partner)
    with pytest.raises(Refused):
        remind_to_finish(attempt=attempt, by=boss.user, now=NOW)
    other = put_off(InvitationFactory.create(revoked=True))
    with pytest.raises(Refused):
        remind_to_finish(attempt=other, by=boss.user, now=NOW)
    assert mailed(REMINDER) == []


def test_button_reminds_once_and_says_when_it_is_possible_again(boss, invitation):
    attempt = put_off(invitation)

    first = post(boss, attempt, "remind")
    second = post(boss, attempt, "remind")

    assert (first.status_code, first["Location"]) == (303, f"/partner/history/{attempt.pk}/")
    assert (second.status_code, "Possible again from" in second.content.decode()) == (429, True)
    assert 86_000 < int(second["Retry-After"]) <= 86_400
    assert mailed(REMINDER) == [attempt.account.owner.email]


def test_advice_has_the_reasons_and_is_sent_once_for_a_refusal(boss, invitation):
    attempt = refused(invitation)

    answers = [post(boss, attempt, "follow-up", operation="message_customer") for _ in range(2)]

    assert [(one.status_code, one["Location"]) for one in answers] == [
        (303, f"/partner/history/{attempt.pk}/")
    ] * 2
    assert mailed(ADVICE) == [attempt.account.owner.email]
    email = write(ADVICE, attempt)
    assert email.subject == f"About joining {boss.partner.name}"
    assert "All bills must be paid" in email.text
    assert AuditEvent.objects.filter(action="attempt.advised").count() == 1


@pytest.mark.parametrize("kind", ["advice", "reminder"])
def test_what_never_arrives_can_be_sent_again(boss, invitation, kind):
    send, attempt = {
        "advice": (advise, refused(invitation)),
        "reminder": (remind_to_finish, put_off(invitation)),
    }[kind]
    send(attempt=attempt, by=boss.user, now=NOW)
    message = OutboxMessage.objects.get(kind=f"association.{kind}")
    mark_dead(message=message, error="550 no such mailbox", now=NOW + MINUTE)
    assert not PartnerMessage.objects.exists()

    send(attempt=attempt, by=boss.user, now=NOW + 2 * MINUTE)
    late = OutboxMessage.objects.waiting().get(kind=f"association.{kind}")
    drop_message(message=late, reason=DEADLINE_PASSED, now=NOW + 3 * MINUTE)
    assert not PartnerMessage.objects.exists()

    send(attempt=attempt, by=boss.user, now=NOW + 4 * MINUTE)
    mark_dead(message=message, error="550 no such mailbox", now=NOW + 5 * MINUTE)
    assert PartnerMessage.objects.get().sent_at == NOW + 4 * MINUTE
    assert len(mailed(f"association.{kind}")) == 3


def test_advice_about_a_new_refusal_waits_for_24_hours(boss, invitation):
    attempt = refused(invitation)
    assert advise(attempt=attempt, by=boss.user, now=timezone.now()) is True
    sent_at = PartnerMessage.objects.get().sent_at
    Attempt.objects.filter(pk=attempt.pk).update(
        decided_at=sent_at + MINUTE, refused_at=sent_at + MINUTE
    )

    with pytest.raises(Refused) as refusal:
        advise(attempt=attempt, by=boss.user, now=sent_at + 2 * MINUTE)

    assert refusal.value.again_at == sent_at + PAUSE
    assert advise(attempt=attempt, by=boss.user, now=sent_at + PAUSE) is True
    assert len(mailed(ADVICE)) == 2


def test_a_frozen_partner_advises_nobody(boss, invitation):
    attempt = refused(invitation)
    mark_frozen(boss.partner)
    attempt.refresh_from_db()
    with pytest.raises(Refused) as refusal:
        advise(attempt=attempt, by=boss.user, now=NOW)
    assert refusal.value.code == AssociationRefusal.NOT_POSSIBLE


def test_nobody_is_advised_where_another_operation_helps(boss, invitation):
    attempt = refused(invitation, "existing_account_not_allowed")
    with pytest.raises(Refused) as refusal:
        advise(attempt=attempt, by=boss.user, now=NOW)
    assert refusal.value.code == AssociationRefusal.NOT_POSSIBLE


def test_who_has_joined_is_not_written_to(boss, invitation):
    attempt = make_associated(invitation=invitation).attempt
    for send in (advise, remind_to_finish):
        with pytest.raises(Refused) as refusal:
            send(attempt=attempt, by=boss.user, now=NOW)
        assert refusal.value.code == JourneyRefusal.FINISHED


def test_who_wants_no_e_mail_is_not_written_to_and_the_text_can_be_copied(boss, invitation):
    attempt, later = refused(invitation), put_off(invitation)
    unsubscribe(attempt)
    unsubscribe(later)

    for send, one in ((advise, attempt), (remind_to_finish, later)):
        with pytest.raises(Refused) as refusal:
            send(attempt=one, by=boss.user, now=NOW)
        assert refusal.value.code == AssociationRefusal.EMAIL_UNWANTED

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(boss.user)
    page = client.get(f"/partner/history/{attempt.pk}/").content.decode()
    assert 'id="message_text"' in page
    assert 'value="message_customer"' not in page


@pytest.mark.parametrize("kind", [REMINDER, ADVICE])
def test_what_is_of_no_use_any_more_is_not_sent(boss, invitation, kind):
    attempt = refused(invitation) if kind == ADVICE else put_off(invitation)
    suppress(address_hash=hash_of(READER), sender=boss.partner, now=NOW)
    with pytest.raises(Stale, match=r"^does not want e-mail$"):
        write(kind, attempt)
    with pytest.raises(Stale, match=r"^already associated$"):
        write(kind, make_associated(invitation=invitation).attempt)


def test_advice_is_stale_when_nothing_refuses_or_the_partner_is_frozen(boss, invitation):
    attempt = refused(invitation)
    with pytest.raises(Stale, match=r"^not refused any more$"):
        write(ADVICE, put_off(invitation))
    mark_frozen(boss.partner)
    with pytest.raises(Stale, match=r"^partner frozen$"):
        write(ADVICE, attempt)


def test_an_attempt_of_another_partner_does_not_exist(boss):
    attempt = put_off(InvitationFactory.create())
    assert post(boss, attempt, "remind").status_code == 404
    assert mailed(REMINDER) == []


def page_of(member, attempt):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(member.user)
    return client.get(f"/partner/history/{attempt.pk}/").content.decode()


def test_page_shows_the_message_as_it_is_sent_and_when_it_was(boss, invitation):
    attempt = refused(invitation)
    before = page_of(boss, attempt)
    assert f"About joining {boss.partner.name}" in before
    assert "All bills must be paid" in before
    # The reader's own link, with which anybody could unsubscribe.
    assert "/no-more-invitations/…" in before
    assert 'value="message_customer"' in before

    advise(attempt=attempt, by=boss.user, now=timezone.now())

    after = page_of(boss, attempt)
    assert 'value="message_customer"' not in after
    assert f"E-mail of {moment(PartnerMessage.objects.get().sent_at)}" in " ".join(after.split())


def test_page_of_an_attempt_that_was_put_off_says_until_when_and_reminds(boss, invitation):
    attempt = put_off(invitation)
    deadline = moment(attempt.account.registered_at + 7 * DAY)
    page = page_of(boss, attempt)
    assert f"Joining can be finished until {deadline}." in " ".join(page.split())
    assert f'action="/partner/history/{attempt.pk}/remind"' in page
    assert f"{invitation.partner.name} reminds you to finish joining" in html.unescape(page)

    remind_to_finish(attempt=attempt, by=boss.user, now=timezone.now())

    assert "/remind" not in page_of(boss, attempt)


def test_check_invariants_finds_a_message_about_another_persons_attempt(boss, invitation):
    attempt = put_off(invitation)
    remind_to_finish(attempt=attempt, by=boss.user, now=NOW)
    assert list(related_rows_agree()) == []
    message = PartnerMessage.objects.get()

    PartnerMessage.objects.update(attempt=put_off(invitation))

    [found] = related_rows_agree()
    assert (found.invariant, found.object) == ("I10", f"association.partnermessage:{message.pk}")
