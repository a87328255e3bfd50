"""E-mail addresses: accepted forms, the canonical form and the masked form."""

import pytest
from django.utils import timezone

from accounts.enums import CodePurpose
from accounts.fields import EmailField
from accounts.forms import CountryAndEmailForm
from accounts.services.codes import send_code
from outbox.models import OutboxMessage
from tests.factories.accounts import UserFactory
from web.email_addresses import InvalidAddress, canonical_address, mask_address

INVALID = [
    "",
    " ",
    "person",
    "@example.org",
    "person@",
    "person@localhost",
    "person@[127.0.0.1]",
    "person@127.0.0.1",
    '"quoted person"@example.org',
    "one@example.org,two@example.org",
    "one@example.org two@example.org",
    "one@example.org;two@example.org",
    "Person <person@example.org>",
    "person@example.org\r\nBcc: other@example.org",
    "person@example.org\nBcc: other@example.org",
    "person\r\n@example.org",
    "person@example.org\x00",
    "per\x00son@example.org",
    "person@exa mple.org",
    "person@-example.org",
    "person@example-.org",
    "person@example..org",
    "person@.example.org",
    "person@example.org.",
    "a" * 65 + "@example.org",
    "a@" + ("b" * 60 + ".") * 4 + "cccccc.org",  # 255
    "a@" + ("b" * 63 + ".") * 4 + "c" * 60,  # 320
    "pers\u0131n@example.org",
    "\u212aim@example.org",
    "o\ufb03ce@example.org",
    "person@exam\u200bple\u2024\u2024org",
    "person@@",
]


@pytest.mark.parametrize("text", INVALID)
def test_invalid_address_is_rejected(text):
    with pytest.raises(InvalidAddress):
        canonical_address(text)
    form = CountryAndEmailForm({"country": "DE", "email": text})
    assert not form.is_valid()
    assert list(form.errors) == ["email"]


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("person@example.org", "person@example.org"),
        ("  Person@EXAMPLE.org ", "person@example.org"),
        ("Per.Son+Tag@example.org", "per.son+tag@example.org"),
        ("person@BÜCHER.example", "person@xn--bcher-kva.example"),
        ("person@xn--bcher-kva.example", "person@xn--bcher-kva.example"),
        ("o'neil/x=y@example.org", "o'neil/x=y@example.org"),
        ("a" * 64 + "@example.org", "a" * 64 + "@example.org"),
        ("a@" + ("b" * 60 + ".") * 4 + "ccccc.co", "a@" + ("b" * 60 + ".") * 4 + "ccccc.co"),
    ],
)
def test_address_has_one_canonical_form(typed, canonical):
    assert canonical_address(typed) == canonical
    assert canonical_address(canonical) == canonical
    assert EmailField().clean(typed) == typed.strip(" ")


def test_masked_address_shows_the_first_letter_and_the_domain():
    assert mask_address("person@example.org") == "p…@example.org"


@pytest.mark.django_db
def test_known_address_is_found_in_every_spelling():
    UserFactory.create(email="a@x.example")
    send_code(
        email=canonical_address("A@X.Example"),
        purpose=CodePurpose.REGISTER,
        flow="flow",
        language="en",
        now=timezone.now(),
    )
    message = OutboxMessage.objects.get()
    assert (message.kind, message.recipient) == ("accounts.already_registered", "a@x.example")
