"""E-mail addresses: accepted forms, the canonical form and the masked form."""

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.enums import CodePurpose
from accounts.fields import EmailField, OthersEmailField
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
    "mailto:person@example.org,other@example.org",
    "mailto:person%0d%0aBcc:other@example.org",
    "<person@example.org> <other@example.org>",
    "info@xn--zzzz9-.example",
    "info@-xn--n3h.example",
    "info@xn--n3h_.example",
    "info@xn--" + "a" * 60 + ".example",
    "info@\N{SNOWMAN}.example",
    "info@exam ple.org",
    "a@" + "ä" * 300 + ".example",
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
        ("a@xn--n3h.net", "a@xn--n3h.net"),
        ("A@XN--N3H.net", "a@xn--n3h.net"),
        ("a@xn--i-7iq.ws", "a@xn--i-7iq.ws"),
        ("info@xn--zzzz9.example", "info@xn--zzzz9.example"),
        ("info@xn--strae-oqa.de", "info@xn--strae-oqa.de"),
        ("info@straße.de", "info@xn--strae-oqa.de"),
        ("info@strasse.de", "info@strasse.de"),
        ("info@例え。jp", "info@xn--r8jz45g.jp"),
        ("info@r3---sn.example.org", "info@r3---sn.example.org"),
        ("o'neil/x=y@example.org", "o'neil/x=y@example.org"),
        ("a" * 64 + "@example.org", "a" * 64 + "@example.org"),
        ("a@" + ("b" * 60 + ".") * 4 + "ccccc.co", "a@" + ("b" * 60 + ".") * 4 + "ccccc.co"),
    ],
)
def test_address_has_one_canonical_form(typed, canonical):
    assert canonical_address(typed) == canonical
    assert canonical_address(canonical) == canonical
    assert EmailField().clean(typed) == typed.strip(" ")


@pytest.mark.parametrize(
    "pasted",
    [
        "\N{NO-BREAK SPACE}Ada@example.org\t\n",
        "\ufeff\u200bAda@example.org\u200e",
        "<Ada@example.org>",
        " < Ada@example.org\u2069> ",
        "mailto:Ada@example.org",
        "MAILTO:Ada@example.org?subject=Hello&bcc=other@example.org",
        "<mailto:Ada@example.org>",
        "mailto:%41da@example.org",
    ],
)
def test_what_is_copied_with_an_address_is_removed(pasted):
    assert EmailField().clean(pasted) == "Ada@example.org"
    assert canonical_address(pasted) == "ada@example.org"


@pytest.mark.parametrize("pasted", ["Ada <ada@example.org>", '"B, Ada" <mailto:ada@example.org>'])
def test_name_is_understood_before_the_address_of_somebody_else_only(pasted):
    assert OthersEmailField().clean(pasted) == "ada@example.org"
    with pytest.raises(ValidationError):
        EmailField().clean(pasted)


@pytest.mark.parametrize(
    "text",
    [
        "A <a@example.org>, B <b@example.org>",
        "A <a@example.org> b@example.org",
        "A <B>",
        "<<a@example.org>>",
        "mailto:mailto:a@example.org",
    ],
)
def test_several_addresses_are_none(text):
    with pytest.raises(ValidationError):
        OthersEmailField().clean(text)


@given(st.text(max_size=300))
def test_any_text_has_a_canonical_form_or_is_invalid(text):
    for typed in (text, f"a@{text}.example"):
        try:
            canonical = canonical_address(typed)
        except InvalidAddress:
            continue
        assert canonical_address(canonical) == canonical
        assert canonical.isascii()


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
