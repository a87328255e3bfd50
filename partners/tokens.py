"""Invitation tokens: 130 random bits in Crockford's base32, forgiving of how they are pasted."""

import re
import secrets

from web.random_ids import CROCKFORD
from web.typed_text import clean_line

LENGTH = 26
# The longest text in which a token is looked for: mail scanners make long links.
LONGEST_PASTE = 4_000

# Each of the 32 letters is chosen by eight of the 256 byte values, so all are equally likely.
_LETTER_OF_BYTE = (CROCKFORD * 8).encode()
_LOOK_ALIKES = str.maketrans({"o": "0", "i": "1", "l": "1"})
_CANONICAL = re.compile(f"[{CROCKFORD}]{{{LENGTH}}}")
# Blanks and hyphens between the groups of a printed token.
_SEPARATOR = r"[\s\-\u00ad‐-―\u2212]"
_SEPARATORS = re.compile(f"{_SEPARATOR}+")
_LETTER = f"[{CROCKFORD}{CROCKFORD.upper()}oilOIL]"
_TOKEN = rf"(?:{_LETTER}{_SEPARATOR}*){{{LENGTH}}}"
# A slash as it is, or as mail scanners write it: percent-encoded, once or more often, or as `_`.
_SLASH = "(?:/|_|%(?:25)*2[fF])"
# Where a token is in what was pasted, the surest place first.
_PLACES = (
    re.compile(f"{_SLASH}[iI]{_SLASH}({_LETTER}{{{LENGTH}}})"),
    re.compile(f"(?<![A-Za-z0-9])({_LETTER}{{{LENGTH}}})(?![A-Za-z0-9])"),
    # In groups of four, as it is printed.
    re.compile(
        rf"(?<![A-Za-z0-9])((?:{_LETTER}{{4}}{_SEPARATOR}+){{6}}{_LETTER}{{2}})(?![A-Za-z0-9])"
    ),
    # In a link that was broken into lines; in other groups, with nothing else around them.
    re.compile(f"{_SLASH}[iI]{_SLASH}({_TOKEN})"),
    re.compile(rf"^[^A-Za-z0-9]*({_TOKEN})[^A-Za-z0-9]*$"),
)


def new_token() -> str:
    """Return a fresh token of 26 characters from the system's random source."""
    return secrets.token_bytes(LENGTH).translate(_LETTER_OF_BYTE).decode()


def canonical_token(text: str) -> str | None:
    """Return the canonical form of a token in any case or with look-alike letters, else None."""
    if len(text) != LENGTH or not text.isascii():
        return None
    token = text.lower().translate(_LOOK_ALIKES)
    return token if _CANONICAL.fullmatch(token) else None


def token_in(text: str) -> str | None:
    """Return the canonical form of the token in what was typed or pasted, else None.

    That may be the token in groups, a whole link with what is around it, or the link that a mail
    scanner made of it, if ours can be read in that.
    """
    if len(text) > LONGEST_PASTE:
        return None
    cleaned = clean_line(text)
    found = next(filter(None, (place.search(cleaned) for place in _PLACES)), None)
    return canonical_token(_SEPARATORS.sub("", found[1])) if found else None


def grouped_token(token: str) -> str:
    """Return the token in groups that an eye can follow: four at a time, upper case."""
    return " ".join(token[start : start + 4].upper() for start in range(0, LENGTH, 4))
