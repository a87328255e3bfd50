"""E-mail addresses: accepted forms, the canonical form and the masked form."""

import re

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.crypto import salted_hmac
from hypothesis import given
from hypothesis import strategies as st

from accounts.enums import CodePurpose
from accounts.fields import EmailField, OthersEmailField
from accounts.forms import CountryAndEmailForm
from accounts.services.codes import send_code
from outbox.models import OutboxMessage
from tests.factories.accounts import UserFactory
from tests.growth import grows_evenly
from web.email_addresses import (
    InvalidAddress,
    canonical_address,
    mask_address,
    mask_addresses,
    mask_canonical,
    replace_masked,
    spellings,
    without_marks,
)

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


LONG = "a" + "b" * 63


@pytest.fixture
def fixed_key(settings):
    """With another key two numbers may be equal by chance."""
    settings.SECRET_KEY = "fixed"


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("p@example.org", "p…@example.org"),
        ("pq@example.org", "p…@example.org"),
        ("pqr@example.org", "p…@example.org"),
        ("person@example.org", "p…@example.org"),
        (f"{LONG}@example.org", "a…@example.org"),
        ("first.last+tag@example.org", "f…@example.org"),
        ("7@example.org", "7…@example.org"),
        ("person@xn--bcher-kva.example", "p…@xn--bcher-kva.example"),
        ("person@bücher.example", "p…@bücher.example"),
    ],
)
def test_masked_address_shows_the_first_letter_the_domain_and_a_number(address, masked):
    assert re.fullmatch(re.escape(masked) + r" #[0-9]{4}", mask_address(address))
    assert without_marks(mask_address(address)) == masked
    assert mask_address(mask_address(address)) == mask_address(address)


@pytest.mark.parametrize(
    "people",
    [
        ("a", "b"),
        ("a", "ab"),
        ("ab", "ac"),
        ("abc", "abd"),
        ("ann.lee", "ann.les"),
        ("martin.bauer", "moritz.bauer"),
        (LONG, LONG[:-1]),
        (LONG[:-1] + "1", LONG[:-1] + "2"),
    ],
)
@pytest.mark.parametrize("domain", ["example.org", "xn--bcher-kva.example", "bücher.example"])
@pytest.mark.usefixtures("fixed_key")
def test_two_people_of_one_company_look_different(people, domain):
    assert len({mask_address(f"{person}@{domain}") for person in people}) == 2


@pytest.mark.usefixtures("fixed_key")
def test_hundred_people_of_one_company_look_different_with_few_exceptions():
    """The numbers are spread: of 4,950 pairs one in 10,000 would have the same one by chance."""
    assert len({mask_address(f"person{n}@example.org") for n in range(100)}) >= 95


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("Person@Example.ORG", "person@example.org"),
        ("person@bücher.example", "person@xn--bcher-kva.example"),
    ],
)
def test_every_spelling_of_an_address_has_the_same_number(typed, canonical):
    assert mask_address(typed)[-4:] == mask_address(canonical)[-4:]


def test_number_cannot_be_computed_without_the_key(settings):
    before = mask_address("person@example.org")
    settings.SECRET_KEY = "another key"
    assert mask_address("person@example.org") != before
    assert without_marks(mask_address("person@example.org")) == without_marks(before)


def test_addresses_in_a_text_are_masked_like_one_alone():
    ann, bob = mask_address("ann@example.org"), mask_address("bob@x.example")
    text = "Call ann@example.org, or <bob@x.example>. Not ann@example.org."
    masked = mask_addresses(text)
    assert masked == f"Call {ann}, or <{bob}>. Not {ann}."
    assert mask_addresses(masked) == masked
    assert without_marks(masked) == "Call a…@example.org, or <b…@x.example>. Not a…@example.org."


@pytest.mark.parametrize("piece", ["a", "a.", "a@.", "@", "a@b", "é!"])
def test_long_text_is_masked_in_a_time_that_grows_with_its_length(piece):
    assert grows_evenly(lambda length: mask_addresses(piece * (length // len(piece))), 8_000)


@pytest.mark.usefixtures("fixed_key")
def test_masked_address_is_replaced_by_its_own_number_of_every_known_key(settings):
    earlier = mask_address("ann@example.org")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", ["fixed"]
    others = f"a…@example.org, {mask_address('amy@example.org')}, {mask_address('b@x.org')}"
    text = f"{mask_address('ann@example.org')}, {earlier.title()}. Not {others}"
    assert replace_masked(text, "ann@example.org", "x") == f"x, x. Not {others}"


@pytest.mark.parametrize(
    ("address", "as_written"),
    [
        ("a@example.org", set()),
        ("a@xn--bcher-kva.example", {"a@bücher.example"}),
        ("a@xn--n3h.net", set()),
    ],
)
def test_spellings_of_an_address(address, as_written):
    assert spellings(address) == {address} | as_written


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


def test_number_is_that_of_djangos_salted_hmac(settings):
    address = "ada@bernstein.demo.example"
    for secret in ("one secret", "another secret"):
        settings.SECRET_KEY = secret
        digest = salted_hmac("web.email_addresses.mask", address, algorithm="sha256").digest()
        number = int.from_bytes(digest[:8]) % 10_000
        assert mask_address(address) == f"a…@bernstein.demo.example #{number:04}"
        assert mask_canonical(address) == mask_address(address)
