"""Notifications of members: each kind at once, once a day or not at all; duties are always sent."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from association.services.invariants.trail import trail_equals_state
from association.services.recipients import email_partner
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from outbox.services.rendering import render_message
from partners.models import DigestEntry, MemberDigest, NotificationChoice
from partners.services.digests import send_digests
from partners.services.invitation_requests import request_online_invitation
from partners.services.notifications import choices_of, choose_notifications, next_digest
from tests.factories import (
    InvitationFactory,
    PartnerFactory,
    PartnerMemberFactory,
    UserFactory,
    make_associated,
)
from tests.shown_forms import open_and_send

pytestmark = pytest.mark.django_db
PAGE = "/partner/notifications/"
EACH = {
    "customer_waiting": "each",
    "customer_refused": "each",
    "invitation_requested": "each",
    "authorization_decided": "each",
    "customer_budget_alert": "each",
}
# A winter day at noon in Dublin.
NOON = datetime(2030, 1, 8, 12, tzinfo=UTC)


def client_of(user):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    return client


@pytest.fixture
def partner():
    return PartnerFactory.create(time_zone="Europe/Dublin")


@pytest.fixture
def boss(partner):
    return PartnerMemberFactory.create(administrator=True, partner=partner)


def choose(member, now=NOON, **choices):
    choose_notifications(member=member, choices=choices, by=member.user, now=now)


def ask(partner, address="ada@example.org", now=NOON):
    invitation = InvitationFactory.create(partner=partner)
    request_online_invitation(invitation=invitation, address=address, language="en", now=now)


def recipients(kind="partners.invitation_requested"):
    return list(OutboxMessage.objects.filter(kind=kind).values_list("recipient", flat=True))


def test_without_a_choice_each_is_sent_at_once(partner, boss):
    ask(partner)
    assert recipients() == [boss.user.email]
    assert choices_of(boss) == EACH


def test_each_member_is_told_as_they_chose(partner, boss):
    daily, silent = PartnerMemberFactory.create_batch(2, administrator=True, partner=partner)
    choose(daily, invitation_requested="daily")
    choose(silent, invitation_requested="none")
    ask(partner)
    assert recipients() == [boss.user.email]
    assert list(DigestEntry.objects.values_list("member", "kind")) == [
        (daily.pk, "invitation_requested")
    ]


def test_joining_notes_the_new_customer_for_the_digest(partner, boss):
    choose(boss, customer_waiting="daily")
    make_associated(invitation=InvitationFactory.create(partner=partner))
    assert recipients("association.customer_waiting") == []
    assert DigestEntry.objects.get().kind == "customer_waiting"


@pytest.mark.parametrize("kind", ["customer_end_requested", "customer_frozen", "budget_requested"])
def test_duties_are_sent_whatever_was_chosen(partner, boss, kind):
    choose(boss, **dict.fromkeys(EACH, "none"))
    customer = make_associated(invitation=InvitationFactory.create(partner=partner))
    email_partner(f"association.{kind}", customer, customer, now=NOON)
    assert recipients(f"association.{kind}") == [boss.user.email]


def test_other_kinds_are_not_affected(partner, boss):
    choose(boss, customer_waiting="none")
    ask(partner)
    assert recipients() == [boss.user.email]


def test_member_has_one_choice_per_kind(boss):
    choose(boss, customer_waiting="none")
    choose(boss, customer_waiting="daily")
    assert NotificationChoice.objects.get().delivery == "daily"
    with pytest.raises(IntegrityError):
        NotificationChoice.objects.create(
            member=boss, kind="customer_waiting", delivery="none", chosen_at=NOON
        )


@pytest.mark.parametrize(
    ("zone", "now", "due"),
    [
        ("UTC", "2030-01-08T06:59:59+00:00", "2030-01-08T07:00:00+00:00"),
        ("UTC", "2030-01-08T07:00:00+00:00", "2030-01-09T07:00:00+00:00"),
        ("Asia/Tokyo", "2030-01-08T12:00:00+00:00", "2030-01-08T22:00:00+00:00"),
        # The night in which Dublin's clocks go forward.
        ("Europe/Dublin", "2030-03-30T12:00:00+00:00", "2030-03-31T06:00:00+00:00"),
    ],
)
def test_digest_is_due_at_seven_where_the_partner_is(zone, now, due):
    assert next_digest(ZoneInfo(zone), datetime.fromisoformat(now)) == (datetime.fromisoformat(due))


def test_digest_is_one_email_a_day_with_the_counts(partner, boss):
    choose(boss, invitation_requested="daily", customer_waiting="daily")
    for address in ("ada@example.org", "bo@example.org"):
        ask(partner, address)
    make_associated(invitation=InvitationFactory.create(partner=partner), now=NOON)
    seven = datetime(2030, 1, 9, 7, tzinfo=UTC)
    DigestEntry.objects.update(due_at=seven)
    assert send_digests(now=seven - timedelta(seconds=1)) == 0
    assert send_digests(now=seven) == 1
    assert send_digests(now=seven) == 0
    message = OutboxMessage.objects.get(kind="partners.digest")
    assert message.recipient == boss.user.email
    assert message.data == {"counts": {"customer_waiting": 1, "invitation_requested": 2}}
    assert not DigestEntry.objects.exists()
    text = render_message(message).text
    assert "A new customer waits for a budget: 1\nhttp" in text
    assert "Someone asks for an online invitation: 2\nhttp" in text
    assert "/partner/notifications/" in text


def test_nothing_is_sent_when_nothing_happened(boss):
    choose(boss, **dict.fromkeys(EACH, "daily"))
    assert send_digests(now=NOON + timedelta(days=2)) == 0
    assert not OutboxMessage.objects.exists()


def test_second_digest_of_a_day_waits_for_the_next_one(partner, boss):
    choose(boss, invitation_requested="daily")
    MemberDigest.objects.create(member=boss, sent_on=NOON.date())
    ask(partner)
    DigestEntry.objects.update(due_at=NOON)
    send_digests(now=NOON)
    assert not OutboxMessage.objects.filter(kind="partners.digest").exists()
    assert DigestEntry.objects.get().due_at == datetime(2030, 1, 9, 7, tzinfo=UTC)
    send_digests(now=datetime(2030, 1, 9, 7, tzinfo=UTC))
    assert OutboxMessage.objects.filter(kind="partners.digest").count() == 1


def test_day_has_one_digest_per_member(boss):
    MemberDigest.objects.create(member=boss, sent_on=NOON.date())
    with pytest.raises(IntegrityError):
        MemberDigest.objects.create(member=boss, sent_on=NOON.date())


def test_member_who_cannot_log_in_gets_no_digest(partner, boss):
    choose(boss, invitation_requested="daily")
    ask(partner)
    boss.user.is_active = False
    boss.user.save()
    assert send_digests(now=NOON + timedelta(days=1)) == 1
    assert not OutboxMessage.objects.filter(kind="partners.digest").exists()
    assert not DigestEntry.objects.exists()


def test_page_is_for_members_each_for_themselves(boss):
    manager = PartnerMemberFactory.create(partner=boss.partner)
    answer = open_and_send(client_of(manager.user), PAGE, {**EACH, "customer_waiting": "none"})
    assert (answer.status_code, answer["Location"]) == (303, PAGE)
    assert choices_of(manager) == {**EACH, "customer_waiting": "none"}
    assert choices_of(boss) == EACH
    event = AuditEvent.objects.get()
    assert (event.action, event.before, event.after) == (
        "partner_member.notifications_changed",
        {"customer_waiting": "each"},
        {"customer_waiting": "none"},
    )
    assert list(trail_equals_state()) == []
    assert client_of(UserFactory.create()).get(PAGE).status_code == 404
    assert Client(SERVER_NAME="127.0.0.1").get(PAGE).status_code == 302


@pytest.mark.parametrize("value", ["", "weekly", "none\0", "x" * 10_000])
def test_unknown_choice_changes_nothing(boss, value):
    answer = open_and_send(client_of(boss.user), PAGE, {**EACH, "customer_refused": value})
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == ["customer_refused"]
    assert choices_of(boss) == EACH


def test_of_two_tabs_the_second_is_told_what_changed(boss):
    client = client_of(boss.user)
    page = client.get(PAGE)
    choose(boss, now=timezone.now(), customer_waiting="none")
    version = page.context["form"]["shown_version"].value()
    typed = {**EACH, "customer_waiting": "daily", "shown_version": version}
    answer = client.post(PAGE, typed)
    assert answer.status_code == 409
    [error] = answer.context["form"].errors["customer_waiting"]
    assert "Now it is “Not at all”." in error
    assert choices_of(boss)["customer_waiting"] == "none"


@pytest.mark.parametrize("members", [1, 3])
def test_telling_members_takes_the_same_statements(partner, members, django_assert_num_queries):
    for member in PartnerMemberFactory.create_batch(members, administrator=True, partner=partner):
        choose(member, invitation_requested="daily")
    customer = make_associated(invitation=InvitationFactory.create(partner=partner))
    kind = "association.invitation_requested"
    with django_assert_num_queries(3):
        email_partner(kind, customer, customer, now=NOON)
    assert DigestEntry.objects.filter(kind="invitation_requested").count() == members
