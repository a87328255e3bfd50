"""E-mail addresses: the one canonical form for comparisons, and the masked form."""

import hashlib
import hmac
import re
from functools import lru_cache

import idna
from django.conf import settings
from django.utils.translation import gettext

from web.typed_text import clean_address

_LOCAL_PART = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}")
_DOMAIN_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_MAX_LENGTH = 254
# Anything in a text that looks like an address, whether we accept it or not. It is looked for where
# a word begins only: from every letter of a long word that would take long.
_IN_TEXT = re.compile(
    r"(?<![^\s@\"'<>(),:;])[^\s@\"'<>(),:;]+@[^\s@\"'<>(),:;]*[^\s@\"'<>(),:;.!?]"
)
_MASKED = re.compile(r".?…@.*", re.DOTALL)
# What `mask_address()` adds, so that two people look different.
_MARK = re.compile(r"(?<=…@)(\S+) #[0-9]{4}\b")


class InvalidAddress(ValueError):
    """The text is not one e-mail address that we accept."""


def canonical_address(text: str) -> str:
    """Return the canonical form: in lower case, the local part in ASCII, the domain in IDNA 2008.

    The text may be as people paste it: see `clean_address()`. Dots and `+tag` stay: at many
    providers they name other mailboxes. The local part is ASCII only, so look-alike letters
    (dotless i, the Kelvin sign) cannot imitate another address. Raises InvalidAddress.
    """
    local, at, domain = clean_address(text).rpartition("@")
    # Mail libraries decode "=?" (RFC 2047), possibly to another address.
    if not at or not _LOCAL_PART.fullmatch(local) or "=?" in local:
        raise InvalidAddress(text)
    domain = _ascii_domain(domain)
    labels = domain.split(".")
    if len(labels) < 2 or not all(_DOMAIN_LABEL.fullmatch(label) for label in labels):
        raise InvalidAddress(text)
    address = f"{local.lower()}@{domain}"
    if len(address) > _MAX_LENGTH or labels[-1].isdigit():
        raise InvalidAddress(text)
    return address


def canonical_or_none(text: str) -> str | None:
    """Return the canonical form, or None where the text is no address that we accept."""
    try:
        return canonical_address(text)
    except InvalidAddress:
        return None


def is_address(text: str) -> bool:
    return canonical_or_none(text) is not None


def _ascii_domain(domain: str) -> str:
    """Return the domain as DNS has it, or "". Python's own codec would read ß as ss (IDNA 2003).

    One in ASCII is what DNS has already. Domains such as xn--n3h.net (☃.net) exist, although
    IDNA 2008 allows no new ones of them: only their other spelling is refused.
    """
    domain = domain.lower()
    if domain.isascii():
        return domain
    # Longer ones are invalid, and would take long.
    if len(domain) > _MAX_LENGTH:
        return ""
    try:
        return idna.encode(domain, uts46=True, std3_rules=True).decode()
    except UnicodeError:
        return ""


def mask_address(address: str) -> str:
    """Return the first letter, the domain, and a number that tells two addresses apart.

    The number is the same for every spelling of an address; with another key it is another one.
    It cannot be computed without `SECRET_KEY`; what it is worth is in `docs/security.md`. What is
    masked already stays.
    """
    if _MASKED.fullmatch(address):
        return address
    return f"{_without_number(address)} #{_number(address)}"


def mask_canonical(address: str) -> str:
    """Return `mask_address()` of an address in its canonical form, in fewer calls."""
    if _MASKED.fullmatch(address):
        return address
    return f"{_without_number(address)} #{_number_of(address)}"


def _without_number(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"


def _number(address: str, key: str | None = None) -> str:
    """Return the number in the mask of an address, by this key, else by `SECRET_KEY`."""
    return _number_of(canonical_or_none(address) or address.lower(), key)


@lru_cache
def _mask_key(secret: str) -> bytes:
    """Return the key that Django's `salted_hmac()` derives; deriving it each time is many calls."""
    return hashlib.sha256(f"web.email_addresses.mask{secret}".encode()).digest()


def _number_of(canonical: str, key: str | None = None) -> str:
    digest = hmac.digest(_mask_key(key or settings.SECRET_KEY), canonical.encode(), "sha256")
    return f"{int.from_bytes(digest[:8]) % 10_000:04}"


def mask_addresses(text: str) -> str:
    """Mask every address in a text."""
    return _IN_TEXT.sub(lambda found: mask_address(found[0]), text)


def without_marks(text: str) -> str:
    """Remove the numbers of masked addresses, to compare with what another key has masked."""
    return _MARK.sub(r"\1", text)


def replace_address(text: str, address: str, replacement: str) -> str:
    """Replace an address in a text, in any case; not where it is part of a longer address."""
    return _replace(text, re.escape(address), replacement)


def replace_masked(text: str, address: str, replacement: str) -> str:
    """Replace an address where it is masked with its own number, by any key that is still known."""
    for mask in known_masks(address):
        text = _replace(text, re.escape(mask), replacement)
    return text


def known_masks(address: str) -> set[str]:
    """Return how this spelling is masked by `SECRET_KEY`, and was by `SECRET_KEY_FALLBACKS`."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return {f"{_without_number(address)} #{_number(address, key)}" for key in keys}


def may_be_mask_of(text: str, address: str) -> bool:
    """Return whether the whole text is a mask of this address, or of one that looks like it.

    An earlier key, or none, has given it another number.
    """
    return without_marks(text).lower() == _without_number(address).lower()


def canonical_domain(text: str) -> str:
    """Return the domain as canonical addresses have it. Raises InvalidAddress."""
    return canonical_address(f"anyone@{text}").rpartition("@")[2]


def readable_domain(domain: str) -> str:
    """Return a canonical domain as people write it: with its other letters, if it has any."""
    try:
        return idna.decode(domain)
    except UnicodeError:
        return domain


def readable_domains(domains: str) -> str:
    """Return canonical domains, which have spaces between them, as "a, b or c"."""
    *others, last = [readable_domain(domain) for domain in domains.split()] or [""]
    if not others:
        return last
    return gettext("%(others)s or %(last)s") % {"others": ", ".join(others), "last": last}


def spellings(address: str) -> set[str]:
    """Return a canonical address and, if its domain has other letters, as people write it."""
    local, _, domain = address.rpartition("@")
    return {address, f"{local}@{readable_domain(domain)}"}


def _replace(text: str, pattern: str, replacement: str) -> str:
    whole = rf"(?<![\w.!#$%&'*+/=?^`{{|}}~-]){pattern}(?![\w-]|\.\w)"
    return re.sub(whole, replacement, text, flags=re.IGNORECASE)
