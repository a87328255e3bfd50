"""Text without case and accents, by which a search finds Müller where muller was typed."""

import re
import unicodedata

from django.db.models import TextField
from django.db.models.lookups import Contains

# What Unicode puts above and beneath letters of the Latin, Greek and Cyrillic scripts. The marks
# of other scripts make other letters.
_ACCENTS = re.compile(r"[\u0300-\u036f]")
# Letters with a stroke, and two letters in one, which Unicode does not take apart.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "\u0131": "i", "æ": "ae", "œ": "oe"})


def fold(text: str) -> str:
    """Return the text in small letters without accents; ß is ss. Folding twice changes nothing."""
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    return unicodedata.normalize("NFC", plain.casefold().translate(_LETTERS))


class FoldedContains(Contains):
    """Looks for a part in a column that is stored folded, as `folded_contains`."""

    def get_prep_lookup(self) -> str:
        return fold(str(super().get_prep_lookup()))


TextField.register_lookup(FoldedContains, "folded_contains")
