"""Text without case and accents, by which a search finds Müller where muller was typed."""

import re
import unicodedata
from typing import Any

from django.db.models import TextField
from django.db.models.lookups import Contains

# What Unicode puts above and beneath letters of the Latin, Greek and Cyrillic scripts. The marks
# of other scripts make other letters.
_ACCENTS = re.compile(r"[\u0300-\u036f]")
# Letters with a stroke, and two letters in one, which Unicode does not take apart.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "\u0131": "i", "æ": "ae", "œ": "oe"})

# How German writes ä, ö and ü where the keyboard has none.
_SPELLED_OUT = re.compile("([aou])e")


def fold(text: str) -> str:
    """Return the text in small letters without accents; ß is ss. Folding twice changes nothing."""
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    return unicodedata.normalize("NFC", plain.casefold().translate(_LETTERS))


def sought_folded(text: str) -> list[str]:
    """Return what to look for among folded texts: Mueller may be stored as Müller too."""
    folded = fold(text)
    return list(dict.fromkeys([folded, _SPELLED_OUT.sub(r"\1", folded)]))


class FoldedContains(Contains):
    """Looks for a part in a column that is stored folded, as `folded_contains`."""

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        parts = [
            compiler.compile(Contains(self.lhs, sought)) for sought in sought_folded(str(self.rhs))
        ]
        sql = " OR ".join(sql for sql, _values in parts)
        return f"({sql})", tuple(value for _sql, values in parts for value in values)


TextField.register_lookup(FoldedContains, "folded_contains")
