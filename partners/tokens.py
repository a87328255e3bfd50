"""Invitation tokens: 130 random bits in Crockford's base32, forgiving of how they are typed."""

import re
import secrets

from web.random_ids import CROCKFORD

LENGTH = 26

# Each of the 32 letters is chosen by eight of the 256 byte values, so all are equally likely.
_LETTER_OF_BYTE = (CROCKFORD * 8).encode()
_LOOK_ALIKES = str.maketrans({"o": "0", "i": "1", "l": "1"})
_CANONICAL = re.compile(f"[{CROCKFORD}]{{{LENGTH}}}")
_SEPARATORS = re.compile(r"[\s\-‐-―]+")


def new_token() -> str:
    """Return a fresh token of 26 characters from the system's random source."""
    return secrets.token_bytes(LENGTH).translate(_LETTER_OF_BYTE).decode()


def canonical_token(text: str) -> str | None:
    """Return the canonical form of a token in any case or with look-alike letters, else None."""
    if len(text) != LENGTH or not text.isascii():
        return None
    token = text.lower().translate(_LOOK_ALIKES)
    return token if _CANONICAL.fullmatch(token) else None


def token_typed_by_hand(text: str) -> str | None:
    """Return the canonical form of a token typed with spaces or hyphens, or of a whole link."""
    last_part = text.strip().rstrip("/").rpartition("/")[2]
    return canonical_token(_SEPARATORS.sub("", last_part))


def grouped_token(token: str) -> str:
    """Return the token in groups that an eye can follow: four at a time, upper case."""
    return " ".join(token[start : start + 4].upper() for start in range(0, LENGTH, 4))
