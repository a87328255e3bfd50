"""The e-mails about invitations."""

import re
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import User
from outbox.services.queue import OutgoingMessage, enqueue_messages
from outbox.services.rendering import Stale, render_message
from partners.emails import preview_invitation
from partners.services.unsubscribe_links import unsubscribe_url
from tests.factories import (
    InvitationFactory,
    InvitationRequestFactory,
    MemberInvitationFactory,
    PartnerFactory,
    PartnerMemberFactory,
)
from tests.reading_mails import as_previewed, links, only_in_text, write

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("trait", ["reseller", "referral"])
def test_invitation_says_the_same_in_text_and_html(trait):
    invitation = InvitationFactory(
        email=True,
        referral=trait == "referral",
        note="Hello <b>you</b>\nSee you",
        recipient_name="Ada",
    )
    mail = write("partners.invitation", invitation)
    url = unsubscribe_url(partner=invitation.partner, address=invitation.recipient)
    base = settings.PUBLIC_BASE_URL
    assert links(mail) == {f"/i/{invitation.token}", url.removeprefix(base)}
    # The HTML has it behind the words.
    assert only_in_text(mail) == {"Hello <b>you</b>", url}
    assert "Hello &lt;b&gt;you&lt;/b&gt;" in mail.html
    assert ("frozen as soon as you have joined" in mail.text) == (trait == "reseller")


def test_invitation_names_partner_expiry_with_zone_and_recipient():
    invitation = InvitationFactory(
        email=True, partner__name="Nimbus", expires_at=datetime(2099, 3, 2, 10, 30, tzinfo=UTC)
    )
    mail = write("partners.invitation", invitation)
    assert mail.subject == "Nimbus invites you to become its customer on Example Cloud"
    moment = date_format(invitation.expires_at, "DATETIME_FORMAT")
    assert f"You can accept until {moment} UTC." in mail.text
    assert f"The invitation is only for {invitation.recipient}." in mail.text
    assert "> " not in mail.text


def test_note_of_many_lines_cannot_pass_for_the_email():
    invitation = InvitationFactory(email=True, note="One\n\n-- \nExample Cloud\u2028Pay here")
    text = write("partners.invitation", invitation).text
    assert "> One\n>\n> --\n> Example Cloud\n> Pay here\n" in text


def test_preview_is_the_email_with_another_link():
    invitation = InvitationFactory(
        email=True,
        subject="Come \u2066in",
        note="Hello",
        recipient_name="Ada",
        expires_at=datetime(2099, 3, 2, 10, 30, tzinfo=UTC),
    )
    sent = write("partners.invitation", invitation)
    with timezone.override("Asia/Tokyo"):
        preview = preview_invitation(invitation)
    assert sent.subject == preview.subject == "Come in"
    for part in ("text", "html"):
        expected = as_previewed(getattr(sent, part), invitation.token)
        assert getattr(preview, part) == expected


def test_moments_are_in_the_zone_of_the_partner_on_email_and_landing_page(client):
    invitation = InvitationFactory(
        email=True,
        partner__time_zone="Europe/Berlin",
        expires_at=datetime(2098, 12, 6, 6, 0, tzinfo=UTC),
    )
    assert "until 6 December 2098, 07:00 CET" in write("partners.invitation", invitation).text
    page = client.get(f"/i/{invitation.token}").content.decode()
    assert "6 December 2098, 07:00 CET" in page
    assert "UTC" not in page


@pytest.mark.parametrize(
    ("traits", "reason"),
    [
        ({"revoked": True}, "invitation_revoked"),
        ({"used_up": True}, "invitation_used_up"),
        ({"partner__frozen": True}, "partner_unavailable"),
        ({"partner__allows_reseller": False}, "type_not_allowed"),
    ],
)
def test_invitation_that_cannot_be_followed_is_stale(traits, reason):
    with pytest.raises(Stale, match=f"^{reason}$"):
        write("partners.invitation", InvitationFactory(email=True, **traits))


def test_request_reaches_the_partner_without_address_and_token():
    request = InvitationRequestFactory(address="somebody@example.org")
    mail = write("partners.invitation_requested", request)
    assert links(mail) == {"/partner/requests/"}
    assert only_in_text(mail) == set()
    assert request.address not in mail.text + mail.html
    assert "s…@example.org" in mail.text
    assert request.invitation.token not in mail.text + mail.html


def test_answered_request_is_stale():
    with pytest.raises(Stale, match=r"^already answered$"):
        write("partners.invitation_requested", InvitationRequestFactory(dismissed=True))


@pytest.mark.parametrize(
    ("kind", "factory"),
    [
        ("partners.invitation_requested", InvitationRequestFactory),
        ("partners.member_invitation", MemberInvitationFactory),
    ],
)
def test_partners_read_moments_in_their_own_zone(kind, factory):
    mail = write(kind, factory.create(partner=PartnerFactory.create(time_zone="Europe/Berlin")))

    for part in (mail.text, mail.html):
        assert re.search(r"\bCES?T\b", part)
        assert "UTC" not in part


def test_partner_speaks_with_its_logo_and_its_name_where_pictures_are_not_shown():
    invitation = InvitationFactory(email=True, partner__name="Nimbus", partner__with_logo=True)
    mail = write("partners.invitation", invitation)
    assert mail.speaker.logo_url == f"http://127.0.0.1:8000/logo/{invitation.partner.logo_id}.png"
    # It fails unless the logo is there, from our host, with its size and the name.
    assert f"/i/{invitation.token}" in links(mail)


def test_provider_speaks_without_the_partners_logo():
    request = InvitationRequestFactory(partner=PartnerFactory.create(with_logo=True))
    mail = write("partners.invitation_requested", request)
    assert mail.speaker.name == "Example Cloud"
    assert "<img" not in mail.html
    assert "<bdi>Example Cloud</bdi>" in mail.html


@pytest.mark.parametrize("leave", ["remove", "deactivate"])
def test_who_is_no_member_any_more_gets_no_e_mail_about_the_partners_customers(leave):
    boss = PartnerMemberFactory.create(administrator=True)
    request = InvitationRequestFactory(partner=boss.partner)
    sent = OutgoingMessage("partners.invitation_requested", boss.user.email, request, "en", {})
    (message,) = enqueue_messages(messages=[sent], now=timezone.now())
    assert render_message(message).subject == "Someone asks for an online invitation"

    if leave == "remove":
        boss.delete()
        PartnerMemberFactory.create(user=boss.user)  # of another partner
    else:
        User.objects.filter(pk=boss.user_id).update(is_active=False)

    with pytest.raises(Stale, match=r"^no member any more$"):
        render_message(message)
