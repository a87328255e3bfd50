"""The QR codes that the console hands out, and the sheets to print."""

import io
import re

import pytest
import zxingcpp
from django.test import Client
from django.utils import timezone
from PIL import Image

from tests.factories import InvitationFactory, PartnerMemberFactory, mark_frozen
from tests.scanning import scanned_text

pytestmark = pytest.mark.django_db


@pytest.fixture
def member():
    return PartnerMemberFactory(administrator=True)


@pytest.fixture
def client(member):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(member.user)
    return client


@pytest.fixture
def invitation(member):
    return InvitationFactory(partner=member.partner, label='=1"\n../x')


def path(invitation, action):
    return f"/partner/invitations/{invitation.pk}/{action}"


@pytest.mark.parametrize("size", [300, 600, 1200])
def test_png_decodes_to_the_link(client, invitation, size):
    answer = client.get(path(invitation, f"qr.png?size={size}"))
    picture = Image.open(io.BytesIO(answer.content))
    [barcode] = zxingcpp.read_barcodes(picture)
    assert (picture.size, barcode.text) == ((size, size), scanned_text(invitation))


@pytest.mark.parametrize(
    ("action", "content_type", "disposition"),
    [
        ("qr.svg", "image/svg+xml; charset=utf-8", 'inline; filename="invitation-{}.svg"'),
        (
            "qr.svg?download=1",
            "image/svg+xml; charset=utf-8",
            'attachment; filename="invitation-{}.svg"',
        ),
        ("qr.png", "image/png", 'inline; filename="invitation-{}-300.png"'),
        (
            "qr.png?size=600&download=1",
            "image/png",
            'attachment; filename="invitation-{}-600.png"',
        ),
    ],
)
def test_pictures_are_named_by_us_and_never_sniffed(
    client, invitation, action, content_type, disposition
):
    answer = client.get(path(invitation, action))
    assert answer.status_code == 200
    assert answer["Content-Type"] == content_type
    assert answer["Content-Disposition"] == disposition.format(invitation.pk)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "no-store"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("action", ["qr.svg", "qr.png", "qr.png?size=1200"])
def test_picture_in_the_browsers_cache_is_not_sent_again(client, invitation, action):
    etag = client.get(path(invitation, action))["ETag"]
    again = client.get(path(invitation, action), HTTP_IF_NONE_MATCH=etag)
    other = client.get(path(invitation, action), HTTP_IF_NONE_MATCH='"another"')
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)
    assert other.status_code == 200


@pytest.mark.parametrize(
    "action", ["qr.png?size=301", "qr.png?size=", "qr.png?size=%00", "print?size=a5", "print?size="]
)
def test_other_sizes_do_not_exist(client, invitation, action):
    assert client.get(path(invitation, action)).status_code == 404


@pytest.mark.parametrize("size", ["a4", "a6"])
def test_sheet_names_host_expiry_and_token_in_clear(client, invitation, settings, size):
    settings.PUBLIC_BASE_URL = "https://partners.example.com"
    page = client.get(path(invitation, f"print?size={size}")).content.decode()
    text = " ".join(re.sub(r"<[^>]+>", "", page).split())
    assert f'class="sheet-{size}"' in page
    assert "The code leads to partners.example.com" in text
    assert "Open partners.example.com/join/ and type:" in text
    assert invitation.grouped_token in text
    assert invitation.partner.name in text
    assert "Without an expiry date." in text
    assert "(reseller)" in text


def test_sheet_names_the_domains_that_may_join(client, invitation):
    words = "Only for e-mail addresses at"
    assert words not in client.get(path(invitation, "print")).content.decode()
    invitation.allowed_domains = "hafen.example ihk.example"
    invitation.save()
    page = " ".join(client.get(path(invitation, "print")).content.decode().split())
    assert f'{words} <strong dir="ltr">hafen.example or ihk.example</strong>' in page


def test_sheet_has_the_note_and_the_language_of_the_invitation(client, invitation, settings):
    settings.LANGUAGES = [("en", "English"), ("ar", "Arabic")]
    plain = client.get(path(invitation, "print")).content.decode()
    assert '<main class="paper"' in plain
    invitation.note, invitation.language = "Bring <b>tea</b>\nand cake", "ar"
    invitation.save()
    page = client.get(path(invitation, "print")).content.decode()
    main = re.search(
        r'<main class="paper has-note"\s+lang="ar"\s+dir="rtl">(.*)</main>', page, re.DOTALL
    )
    assert "Bring &lt;b&gt;tea&lt;/b&gt;<br>and cake" in main[1]
    assert '<html lang="en"' in page


DEAD = [
    ({"revoked": True}, "This invitation has been revoked."),
    ({"expired": True}, "This invitation has expired."),
    ({"max_uses": 1, "used_count": 1}, "This invitation has been used up."),
    ({"partner_frozen": True}, "The partner is frozen and cannot invite."),
    (
        {"referral": True, "type_withdrawn": True},
        "The partner may not invite in this association type.",
    ),
]


def dead_invitation(member, *, partner_frozen=False, type_withdrawn=False, **traits):
    partner = member.partner
    invitation = InvitationFactory(partner=partner, **traits)
    if partner_frozen:
        mark_frozen(partner)
    if type_withdrawn:
        partner.allows_referral = False
    partner.save()
    return invitation


@pytest.mark.parametrize(("traits", "sentence"), DEAD)
@pytest.mark.parametrize(
    ("action", "status"),
    [
        ("print", 200),
        ("print?size=a6", 200),
        ("qr.svg", 409),
        ("qr.png?size=1200&download=1", 409),
    ],
)
def test_invitation_that_cannot_be_followed_is_not_handed_out(
    client, member, traits, sentence, action, status
):
    invitation = dead_invitation(member, **traits)
    answer = client.get(path(invitation, action))
    page = answer.content.decode()
    assert (answer.status_code, answer["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert "That is not possible" in page
    assert sentence in page
    assert "<img" not in page
    assert invitation.grouped_token not in page


def test_picture_in_the_browsers_cache_is_not_confirmed_after_the_revocation(client, invitation):
    etag = client.get(path(invitation, "qr.svg"))["ETag"]
    type(invitation).objects.update(revoked_at=timezone.now())
    again = client.get(path(invitation, "qr.svg"), HTTP_IF_NONE_MATCH=etag)
    assert again.status_code == 409
