"""Text as people type and paste it: what cannot be seen is removed, what can be seen stays.

NUL is not removed: no keyboard and no clipboard sends it, so Django's fields refuse it.
"""

import re
import unicodedata
from urllib.parse import unquote

# Line breaks of all systems; a line separator and a paragraph separator among them.
_LINE_BREAK = re.compile(r"\r\n|[\n\r\v\f\x85\u2028\u2029]")
# Control characters; marks that turn the direction of writing; blanks without width.
_REMOVED = re.compile(
    r"[\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
# Joiners shape the letters beside them in Persian and Indic scripts, and join emoji. At the end of
# a word they only do that after a sign that ends a consonant (virama).
_VIRAMAS = "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca"
_JOINERS = "\u200c\u200d"
_LONE_JOINERS = re.compile(rf"(?<!\S)[{_JOINERS}]+|(?<![{_VIRAMAS}{_JOINERS}])[{_JOINERS}]+(?!\S)")
# Blanks, control characters, Unicode's Default_Ignorable_Code_Point, the empty pattern of Braille.
_UNSEEN = re.compile(
    r"[\s\x01-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_UNSEEN_AT_START = re.compile(rf"\A{_UNSEEN.pattern}+")
# The limit of Unicode's stream-safe text (UAX 15): no language needs more marks on one letter.
_MOST_MARKS = 30
# Beside Unicode's dashes; the first is the minus sign.
_BETWEEN_DIGITS = "\u2212."
# One address, after a name in quotes or without.
_NAMED = re.compile(r'(?:"[^"<>]*"\s*|[^"<>@,;]*)<([^<>]*)>')


def clean_line(text: str) -> str:
    """Return a name, label or other text of one line, in NFC, without doubled blanks.

    Text of which nothing can be seen becomes "".
    """
    line = _REMOVED.sub("", _LINE_BREAK.sub(" ", _composed(text)))
    line = _LONE_JOINERS.sub("", " ".join(line.split()))
    # Without the joiners there may be blanks at the ends.
    return " ".join(line.split()) if _UNSEEN.sub("", line) else ""


def is_exact_key(text: str) -> bool:
    """Whether a key is as it is seen: cleaning changes nothing, and all of it can be seen."""
    return clean_line(text) == text and without_unseen(text) == text.replace(" ", "")


def clean_lines(text: str) -> str:
    """Return a note or reason: each line as of `clean_line()`, without empty ones at the ends."""
    return "\n".join(clean_line(line) for line in _LINE_BREAK.split(text)).strip("\n")


def clean_code(text: str) -> str:
    """Return a code without blanks, hyphens, dots and unseen characters, its digits in ASCII."""
    letters = (letter for letter in without_unseen(text) if not _is_between_digits(letter))
    return "".join(str(unicodedata.decimal(letter, letter)) for letter in letters)


def clean_address(text: str) -> str:
    """Return an e-mail address without what is copied with it.

    Removed are unseen characters at its ends, `mailto:` with what follows a question mark, and
    angle brackets. Whether the rest is an address is decided by `canonical_address()`.
    """
    address = trim(text)
    if address.startswith("<") and address.endswith(">"):
        address = trim(address[1:-1])
    if address[:7].lower() == "mailto:":
        address = unquote(address[7:].partition("?")[0])
    return address


def address_of_named(text: str) -> str:
    """Return the address of `Name <address>`, or the text where it has another form."""
    named = _NAMED.fullmatch(trim(text))
    return clean_address(named[1] if named else text)


def trim(text: str) -> str:
    """Return the text without blanks and other unseen characters at its ends."""
    # A pattern for the end would be tried at each run of blanks, as often as the run is long.
    return _UNSEEN_AT_START.sub("", _UNSEEN_AT_START.sub("", text)[::-1])[::-1]


def without_unseen(text: str) -> str:
    """Return the text without blanks and other characters that cannot be seen."""
    return _UNSEEN.sub("", text)


def _composed(text: str) -> str:
    """Return the text in NFC, or as it is if a letter has more marks than any language needs.

    Composing takes quadratic time for many marks in a row: seconds for 20,000 characters.
    """
    marks = 0
    for letter in text:
        marks = marks + 1 if unicodedata.combining(letter) else 0
        if marks > _MOST_MARKS:
            return text
    return unicodedata.normalize("NFC", text)


def _is_between_digits(letter: str) -> bool:
    return letter in _BETWEEN_DIGITS or unicodedata.category(letter) == "Pd"
