"""The console's page to invite one person by e-mail."""

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from outbox.models import OutboxMessage
from outbox.services.rendering import render_message
from outbox.services.suppression import hash_of, suppress
from partners.models import Invitation
from tests.factories import (
    InvitationFactory,
    PartnerFactory,
    PartnerMemberFactory,
    UserFactory,
    customer_of,
)
from tests.reading_mails import as_previewed
from tests.tables import tables

pytestmark = pytest.mark.django_db

PATH = "/partner/invitations/email/new"
TYPED = {
    "recipient_name": "Ada <b>",
    "recipient": "Ada@Example.ORG",
    "association_type": "reseller",
    "subject": "Come in",
    "note": "Hello\nyou",
    "country": "DE",
    "language": "en",
    "expires_at": "",
    "label": "",
    "recipient_only": "on",
}


@pytest.fixture
def member():
    return PartnerMemberFactory.create()


@pytest.fixture
def client(member):
    return client_of(member.user)


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


def post(client, action="send", **changed):
    return client.post(PATH, {**TYPED, "action": action, **changed})


def test_form_begins_with_the_usual_subject_and_the_box_ticked(client, member):
    page = client.get(PATH).content.decode()
    assert (
        f'value="{member.partner.name} invites you to become its customer on Example Cloud"' in page
    )
    assert 'name="recipient_only" id="id_recipient_only" checked' in " ".join(page.split())


def test_sending_makes_and_mails_one_however_often_it_is_clicked(client, member):
    for _ in range(2):
        response = post(client, form_key="k" * 22)
        assert response.status_code == 303
    sent = Invitation.objects.get()
    assert (sent.recipient, sent.recipient_name, sent.label) == (
        "ada@example.org",
        "Ada <b>",
        "Ada <b>",
    )
    assert (sent.subject, str(sent.country), sent.is_bound) == ("Come in", "DE", True)
    assert (sent.created_by, (sent.expires_at - sent.created_at).days) == (member.user, 7)
    assert OutboxMessage.objects.get().is_bulk is False
    assert AuditEvent.objects.get().action == "invitation.created"
    assert post(client, note="Another", invites_anyway="on").status_code == 303
    assert OutboxMessage.objects.count() == 2


def test_invitation_that_was_revoked_is_made_and_mailed_again(client, member):
    post(client)
    [old] = Invitation.objects.all()
    client.post(f"/partner/invitations/{old.pk}/revoke")
    again = post(client)["Location"]
    assert again != f"/partner/invitations/{old.pk}/"
    assert OutboxMessage.objects.filter(about_id=Invitation.objects.latest("pk").pk).count() == 1
    assert Invitation.objects.count() == 2


def test_default_subject_is_not_stored(client, member):
    post(
        client, subject=f"{member.partner.name} invites you to become its customer on Example Cloud"
    )
    assert Invitation.objects.get().subject == ""


def test_preview_writes_nothing_and_is_the_email(client, time_machine):
    # Preview and e-mail name the minute in which the invitation expires.
    time_machine.move_to(timezone.now(), tick=False)
    before = tables()
    shown = post(client, "preview")
    as_html = post(client, "preview_html")
    assert tables() == before
    assert (shown.status_code, as_html.status_code) == (200, 200)
    assert "sandbox" in as_html["Content-Security-Policy"]
    post(client)
    sent = Invitation.objects.get()
    mail = render_message(OutboxMessage.objects.get())
    page = shown.content.decode()
    assert shown.context["email"].text == as_previewed(mail.text, sent.token)
    # On a narrow screen the e-mail is far below the form.
    heading = '<h2 id="mail-preview" tabindex="-1" autofocus>'
    assert heading in " ".join(shown.content.decode().split())
    assert as_html.content.decode() == as_previewed(mail.html, sent.token)
    assert "Come in" in page
    assert "Hello Ada &lt;b&gt;," in page


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"recipient": ""}, "Enter the e-mail address of the person to invite."),
        ({"recipient": "a@b, c@example.org"}, "Enter an e-mail address like"),
        ({"recipient": "a@example.org\nBcc: b@example.org"}, "Enter an e-mail address like"),
        ({"subject": "x" * 151}, "at most 150 characters"),
        ({"subject": "a\0b"}, "Null characters are not allowed."),
        ({"recipient_name": "a\0b"}, "Null characters are not allowed."),
        ({"note": "x" * 501}, "at most 500 characters"),
        ({"note": "x" * 100_000}, "at most 500 characters"),
        ({"association_type": "referral"}, "Choose reseller or referral."),
        ({"country": "CN"}, "Choose a country or region from the list."),
        ({"expires_at": "2020-01-01T12:00"}, "The expiry must be in the future."),
        ({"expires_at": "9999-12-31T23:59"}, "The expiry must be within ten years."),
        ({"expires_at": "soon"}, "Enter a date and a time like"),
    ],
)
def test_bad_input_is_rejected_and_kept(changed, words):
    partner = PartnerFactory.create(reseller_only=True)
    client = client_of(PartnerMemberFactory.create(partner=partner).user)
    before = tables()
    for action in ("send", "preview", "preview_html"):
        response = post(client, action, **changed)
        page = response.content.decode()
        assert response.status_code == 400
        assert words in page
        assert "Come in" in page or "subject" in changed
    assert tables() == before


def test_line_breaks_and_unseen_characters_of_one_line_are_removed(client):
    typed = {"subject": "One\r\nBcc: b@example.org", "recipient_name": "\u202eAda\u200b  B\n"}
    assert post(client, **typed, recipient="Ada <ada@example.org>").status_code == 303
    sent = Invitation.objects.get()
    assert (sent.subject, sent.recipient_name, sent.recipient) == (
        "One Bcc: b@example.org", "Ada B", "ada@example.org",
    )  # fmt: skip


def test_fourth_email_of_a_day_is_refused_at_the_address(client):
    for number in range(3):
        sent = post(client, note=f"{number}", invites_anyway="on")
        assert sent.status_code == 303
    response = post(client, note="3", invites_anyway="on")
    assert response.status_code == 429
    assert 86_000 < int(response["Retry-After"]) <= 86_400
    assert "recipient" in response.context["form"].errors
    assert Invitation.objects.count() == 3


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (customer_of, "This person is your customer already."),
        (
            lambda partner, email: InvitationFactory.create(
                partner=partner, email=True, recipient=email
            ),
            "This person has an invitation from you that is still live.",
        ),
    ],
)
def test_known_person_is_invited_only_after_a_question(client, member, known, words):
    known(member.partner, "ada@example.org")
    made, mailed = Invitation.objects.count(), OutboxMessage.objects.count()
    page = post(client)
    assert page.status_code == 400
    assert page.context["form"].errors == {"recipient": [words]}
    assert "Invite this person anyway" in page.content.decode()
    assert (Invitation.objects.count(), OutboxMessage.objects.count()) == (made, mailed)

    assert post(client, invites_anyway="on").status_code == 303
    assert (Invitation.objects.count(), OutboxMessage.objects.count()) == (made + 1, mailed + 1)


def test_person_who_does_not_want_emails_is_found_in_each_spelling(client, member):
    suppress(address_hash=hash_of("ada@example.org"), sender=member.partner, now=timezone.now())
    page = post(client, recipient="Ada@Example.ORG")
    assert page.status_code == 400
    assert "This person does not want invitations from you by e-mail." in page.content.decode()


def test_people_of_other_partners_are_not_known(client):
    customer_of(PartnerFactory.create(), "ada@example.org")
    assert post(client).status_code == 303


def test_quota_is_429_and_keeps_what_was_typed(client, settings):
    settings.PARTNER_DAILY_MAILS = 1
    post(client)
    response = post(client, recipient="bob@example.org")
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert 'value="bob@example.org"' in response.content.decode()


def test_frozen_partner_cannot_invite():
    partner = PartnerFactory.create(frozen=True)
    client = client_of(PartnerMemberFactory.create(partner=partner).user)
    for address in (PATH, "/partner/invitations/email/many"):
        page = client.get(address).content.decode()
        assert "<p>The partner is frozen and cannot invite.</p>" in page
        assert 'name="recipient_name"' not in page
        assert 'name="people"' not in page
    assert post(client).status_code == 409
    assert Invitation.objects.count() == 0


def test_only_members_come_here():
    assert Client().get(PATH)["Location"].startswith("/account/login/")
    customer = client_of(UserFactory.create())
    assert (customer.get(PATH).status_code, post(customer).status_code) == (404, 404)
