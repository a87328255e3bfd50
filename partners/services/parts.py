"""What finds a part of a text: any part, or with one or two letters what begins so.

An index of three letters in a row (`AddTrigramIndexOnline`) finds any part that has three. Of fewer
it knows only how words begin, so the search for them would read a million rows.
"""

import re
from collections.abc import Collection

from django.db.models import Q

# Before a word, in the texts of rows; several lines are several names.
_SEPARATORS = (" ", "-", "\n")
_WORDS = re.compile(r"[^\W_]")
# What the index knows of a part: three letters, the end of a word of two, or how a word begins.
_INDEXED = re.compile(r"[^\W_]{3}|[^\W_]{2}[\W_]|[\W_][^\W_]")


def is_short(text: str) -> bool:
    """Return whether only words are found that begin with this text."""
    return _INDEXED.search(text.strip()) is None


def part_of_address(column: str, text: str, *, ignores_case: bool = False) -> Q:
    """Match rows whose address has the text as a part; a short one matches nothing.

    A word like "com" begins in nearly every address, so the index would find them all.
    """
    return Q(pk__in=[]) if is_short(text) else part_of([column], text, ignores_case=ignores_case)


def part_of(columns: Collection[str], text: str, *, ignores_case: bool = False) -> Q:
    """Match rows of which one of these columns has the text as a part.

    A text without letters and digits matches nothing.
    """
    sought, i = text.strip(), "i" if ignores_case else ""
    if _WORDS.search(sought) is None:
        return Q(pk__in=[])
    found = Q()
    for column in columns:
        if not is_short(sought):
            found |= Q(**{f"{column}__{i}contains": sought})
            continue
        found |= Q(**{f"{column}__{i}startswith": sought})
        for before in _SEPARATORS:
            found |= Q(**{f"{column}__{i}contains": before + sought})
    return found
