"""Texts that are stored encrypted: secrets of endpoints, and answers that may have one in them."""

import hashlib
from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class SealedUnreadable(Exception):
    """The text was encrypted with a SECRET_KEY that is no longer known."""


def seal(text: str) -> str:
    """Return the text encrypted, as it is stored."""
    return _box().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Return the text again. Raises SealedUnreadable."""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise SealedUnreadable from error


def _box() -> MultiFernet:
    """Encrypt with SECRET_KEY; read what an earlier one of SECRET_KEY_FALLBACKS encrypted too."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = (hashlib.sha256(b"integration.sealing\0" + key.encode()).digest() for key in keys)
    return MultiFernet([Fernet(urlsafe_b64encode(digest)) for digest in digests])
