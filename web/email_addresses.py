"""E-mail addresses: the one canonical form for comparisons, and the masked form."""

import re

import idna

from web.typed_text import clean_address

_LOCAL_PART = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}")
_DOMAIN_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_MAX_LENGTH = 254
# Anything in a text that looks like an address, whether we accept it or not.
_IN_TEXT = re.compile(r"[^\s@\"'<>(),:;]+@[^\s@\"'<>(),:;]+")


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
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"


def mask_addresses(text: str) -> str:
    """Mask every address in a text."""
    return _IN_TEXT.sub(lambda found: mask_address(found[0]), text)


def replace_address(text: str, address: str, replacement: str) -> str:
    """Replace an address in a text, in any case; not where it is part of a longer address."""
    whole = rf"(?<![\w.!#$%&'*+/=?^`{{|}}~-]){re.escape(address)}(?![\w-]|\.\w)"
    return re.sub(whole, replacement, text, flags=re.IGNORECASE)
