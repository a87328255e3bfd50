"""Inviting people to act for the partner: by e-mail, renewed, limited, withdrawn."""

import re
from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from association.services.invariants.trail import trail_equals_state
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from outbox.services.rendering import Stale, render_message
from partners.enums import PartnerRole
from partners.models import MemberInvitation
from partners.services import member_invitations
from partners.services.member_invitations import (
    decline_member_invitation,
    withdraw_member_invitation,
)
from tests.factories import (
    MemberInvitationFactory,
    PartnerFactory,
    PartnerMemberFactory,
    UserFactory,
    customer_of,
)
from web.email_addresses import mask_address

pytestmark = pytest.mark.django_db
MEMBERS, INVITE = "/partner/members/", "/partner/members/invite"


def client_of(user):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    return client


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True)


@pytest.fixture
def console(boss):
    return client_of(boss.user)


def invite(client, address, role="manager", **fields):
    return client.post(INVITE, {"address": address, "role": role, **fields})


def actions():
    return sorted(AuditEvent.objects.values_list("action", flat=True))


def test_invitation_is_open_for_seven_days_and_mailed(boss, console):
    UserFactory.create(email="ann@example.org")
    answer = invite(console, " Ann@Example.org", "administrator", may_see_addresses="on")
    assert (answer.status_code, answer["Location"]) == (303, MEMBERS)
    row = MemberInvitation.objects.get()
    assert (row.partner, row.address, row.role, row.may_see_addresses, row.invited_by) == (
        boss.partner,
        "ann@example.org",
        PartnerRole.ADMINISTRATOR,
        True,
        boss.user,
    )
    assert row.expires_at - row.invited_at == timedelta(days=7)
    message = OutboxMessage.objects.get()
    assert (message.kind, message.recipient) == ("partners.member_invitation", "ann@example.org")
    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.object_id) == (
        "member_invitation.made",
        boss.user,
        str(row.pk),
    )
    assert event.after["address"] == mask_address("ann@example.org")
    assert list(trail_equals_state()) == []


def test_unknown_address_gets_a_login_without_password_and_one_email(console):
    invite(console, "New.Person@Example.org")
    user = User.objects.get(email="new.person@example.org")
    assert (user.has_usable_password(), user.email_original) == (False, "New.Person@Example.org")
    assert not EmailAddress.objects.filter(user=user).exists()
    assert [message.kind for message in OutboxMessage.objects.all()] == [
        "partners.member_invitation"
    ]
    assert actions() == ["member_invitation.made", "user.added"]


def plain(page):
    """Return the page without random values."""
    text = re.sub(r'name="(csrfmiddlewaretoken|form_key)" value="[^"]*"', "", page.content.decode())
    return re.sub(r"invitations/\d+/", "", text)


def test_inviter_cannot_tell_known_from_unknown(boss, console):
    UserFactory.create(email="known1@example.org")
    UserFactory.create(email="gone22@example.org", is_active=False)
    PartnerMemberFactory.create(user=UserFactory(email="taken3@example.org"))
    answers = []
    with time_machine.travel(timezone.now(), tick=False):
        for name in ("known1", "gone22", "taken3", "absent"):
            answer = invite(console, f"{name}@example.org")
            page = plain(console.get(MEMBERS)).replace(name, "somebody")
            answers.append((answer.status_code, answer["Location"], len(answer.content), page))
            MemberInvitation.objects.all().delete()
    assert len(set(answers)) == 1


def test_known_and_unknown_take_nearly_the_same_statements(boss):
    UserFactory.create(email="known@example.org")
    counts = []
    for address in ("known@example.org", "unknown@example.org"):
        with CaptureQueriesContext(connection) as asked:
            member_invitations.invite_member(
                partner=boss.partner,
                address=address,
                role="manager",
                by=boss.user,
                now=timezone.now(),
            )
        counts.append(len(asked))
    # The log-in and its event.
    assert counts[1] - counts[0] == 2


def test_second_click_is_no_second_invitation(console):
    for _ in range(2):
        assert invite(console, "ann@example.org", form_key="k" * 22).status_code == 303
    assert (MemberInvitation.objects.count(), OutboxMessage.objects.count()) == (1, 1)
    assert actions() == ["member_invitation.made", "user.added"]


def test_inviting_again_renews_and_changes_what_was_offered(boss, console):
    invite(console, "ann@example.org")
    with time_machine.travel(timezone.now() + timedelta(days=8), tick=False):
        invite(client_of(boss.user), "ann@example.org", "administrator")
        row = MemberInvitation.objects.get()
        assert row.role == PartnerRole.ADMINISTRATOR
        assert row.expires_at == timezone.now() + timedelta(days=7)
    assert OutboxMessage.objects.count() == 2
    assert actions() == ["member_invitation.made", "member_invitation.renewed", "user.added"]
    assert list(trail_equals_state()) == []


@pytest.mark.parametrize("address", ["ann@example.org", "person=?@example.org"])
def test_send_again_renews_with_one_click(boss, console, address):
    """Also where today's rules refuse an address that those of an earlier version accepted."""
    row = MemberInvitationFactory.create(
        partner=boss.partner,
        address=address,
        expired=True,
        invited_at=timezone.now() - timedelta(days=8),
    )
    for _ in range(2):
        answer = console.post(f"{MEMBERS}invitations/{row.pk}/send", {"form_key": "k" * 22})
        assert (answer.status_code, answer["Location"]) == (303, MEMBERS)
    row.refresh_from_db()
    assert not row.is_expired(timezone.now())
    assert OutboxMessage.objects.get().recipient == row.address


@pytest.mark.parametrize("end", [withdraw_member_invitation, decline_member_invitation])
def test_an_invitation_that_has_ended_is_not_sent_again(boss, console, end):
    row = MemberInvitationFactory.create(partner=boss.partner)
    end(invitation=row, by=boss.user, now=timezone.now())
    answer = console.post(f"{MEMBERS}invitations/{row.pk}/send", {"form_key": "k" * 22})
    assert (answer.status_code, OutboxMessage.objects.count()) == (409, 0)
    assert not boss.partner.member_invitations.open().exists()


def test_sending_again_above_the_limit_is_429(boss, console):
    for _ in range(3):
        other = PartnerMemberFactory.create(administrator=True)
        invite(client_of(other.user), "ann@example.org")
    row = MemberInvitationFactory.create(
        partner=boss.partner,
        address="ann@example.org",
        invited_at=timezone.now() - timedelta(days=2),
    )
    answer = console.post(f"{MEMBERS}invitations/{row.pk}/send")
    assert answer.status_code == 429
    assert 86_000 < int(answer["Retry-After"]) <= 86_400
    assert "Possible again from " in answer.content.decode()


def test_person_is_mailed_three_times_a_day_by_all_partners_together():
    for _ in range(3):
        boss = PartnerMemberFactory.create(administrator=True)
        assert invite(client_of(boss.user), "ann@example.org").status_code == 303
    boss = PartnerMemberFactory.create(administrator=True)
    answer = invite(client_of(boss.user), "ann@example.org")
    assert answer.status_code == 429
    assert 86_000 < int(answer["Retry-After"]) <= 86_400
    assert "Possible again from " in answer.content.decode()
    assert 'value="ann@example.org"' in answer.content.decode()
    assert (MemberInvitation.objects.count(), OutboxMessage.objects.count()) == (3, 3)
    with time_machine.travel(timezone.now() + timedelta(days=1, seconds=1)):
        assert invite(client_of(boss.user), "ann@example.org").status_code == 303


def test_a_partner_invites_so_many_people_a_day(boss, console, monkeypatch):
    monkeypatch.setattr(member_invitations, "MOST_PEOPLE", 3)
    MemberInvitationFactory.create_batch(3, partner=boss.partner)
    MemberInvitationFactory.create_batch(3, partner=PartnerFactory.create())
    answer = invite(console, "ann@example.org")
    assert (answer.status_code, MemberInvitation.objects.count()) == (429, 6)
    assert "Your organisation has invited as many members" in answer.content.decode()
    assert not User.objects.filter(email="ann@example.org").exists()


def test_customer_is_not_invited_to_act_for_the_partner(boss, console):
    customer_of(boss.partner, "lena@example.org")
    answer = invite(console, "Lena@Example.org")
    assert answer.status_code == 409
    assert "This person is your customer, and a customer does not act for a partner." in (
        answer.content.decode()
    )
    assert not MemberInvitation.objects.exists()
    # Whose customer somebody else is, is not told.
    customer_of(PartnerFactory.create(), "bo@example.org")
    assert invite(console, "bo@example.org").status_code == 303


def test_member_is_not_invited_again(boss, console):
    member = PartnerMemberFactory.create(partner=boss.partner)
    answer = invite(console, member.user.email)
    assert answer.status_code == 409
    assert "This person is a member already." in answer.content.decode()
    assert not MemberInvitation.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"address": ""},
        {"address": "unknown"},
        {"address": "a@localhost"},
        {"address": "a@example.org,b@example.org"},
        {"address": "a@example.org\r\nBcc: b@example.org"},
        {"address": "x" * 100_000 + "@example.org"},
        {"role": ""},
        {"role": "owner"},
    ],
    ids=lambda fields: repr(fields)[:40],
)
def test_bad_input_is_refused_and_kept(console, fields):
    data = {"address": "ann@example.org", "role": "manager", **fields}
    assert console.post(INVITE, data).status_code == 400
    assert not MemberInvitation.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_withdrawing_is_asked_for_first_and_happens_once(boss, console):
    row = MemberInvitationFactory.create(partner=boss.partner)
    path = f"{MEMBERS}invitations/{row.pk}/withdraw"
    assert "It cannot be accepted any more" in console.get(path).content.decode()
    for _ in range(2):
        answer = console.post(path)
        assert (answer.status_code, answer["Location"]) == (303, MEMBERS)
    row.refresh_from_db()
    assert (row.withdrawn_by, row.accepted_at) == (boss.user, None)
    assert actions() == ["member_invitation.withdrawn"]
    assert console.get(MEMBERS).context["invitations"] == []
    assert list(trail_equals_state()) == []


def test_accepted_invitation_is_not_withdrawn(boss, console):
    row = MemberInvitationFactory.create(partner=boss.partner, accepted_at=timezone.now())
    answer = console.post(f"{MEMBERS}invitations/{row.pk}/withdraw")
    assert answer.status_code == 409
    assert "This invitation has been accepted already." in answer.content.decode()
    row.refresh_from_db()
    assert row.withdrawn_at is None
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("action", ["withdraw", "send"])
def test_another_partners_invitation_does_not_exist(console, action):
    row = MemberInvitationFactory.create()
    assert console.post(f"{MEMBERS}invitations/{row.pk}/{action}").status_code == 404
    assert not AuditEvent.objects.exists()


def test_email_leads_newcomers_to_a_password_first(console):
    invite(console, "new@example.org", "administrator")
    mail = render_message(OutboxMessage.objects.get())
    assert "as an administrator" in mail.text
    assert mail.text.index("/account/password/reset/") < mail.text.index("/account/membership/")
    assert mail.html.index("/account/password/reset/") < mail.html.index("/account/membership/")


def test_email_to_someone_who_can_log_in_has_one_way(boss, console):
    UserFactory.create(email="ann@example.org")
    invite(console, "ann@example.org")
    mail = render_message(OutboxMessage.objects.get())
    assert mail.subject == f"{boss.partner.name} invites you to its console on Example Cloud"
    assert "/account/password/reset/" not in mail.text
    assert f"{boss.user.email} invites you." in mail.text


@pytest.mark.parametrize("state", ["accepted_at", "withdrawn_at", "expires_at"])
def test_email_that_is_no_longer_useful_is_dropped(console, state):
    invite(console, "ann@example.org")
    MemberInvitation.objects.update(**{state: timezone.now()})
    with pytest.raises(Stale):
        render_message(OutboxMessage.objects.get())
