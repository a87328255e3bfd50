"""Which names a partner may take: those that customers cannot take for another's."""

import unicodedata

from django.conf import settings

from partners.enums import NameRefusal
from partners.models import Partner
from web.folding import fold
from web.locks import lock_name
from web.refused import Refused
from web.typed_text import without_unseen

_NAMES = "partners.names"
# Scripts that words of one language mix, with Latin letters too, and signs of no script.
_MIXED = {"CJK", "HANGUL", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "BOPOMOFO", "MODIFIER", ""}


def lock_names() -> None:
    """Let partners that take a name at once wait for each other, until the transaction ends."""
    lock_name(_NAMES)


def check_name(partner: Partner, name: str) -> None:
    """Raise Refused for a name that customers could take for another one (decision 0040)."""
    if any(_mixes_alphabets(word) for word in name.split()):
        raise Refused(NameRefusal.NAME_MIXES_ALPHABETS)
    letters, provider = _letters_of(name), _letters_of(settings.PROVIDER_NAME)
    if provider and provider in letters:
        raise Refused(NameRefusal.NAME_OF_PROVIDER)
    others = Partner.objects.exclude(pk=partner.pk).values_list("name", "legal_name")
    if any(letters in {_letters_of(taken), _letters_of(legal)} for taken, legal in others):
        raise Refused(NameRefusal.NAME_TAKEN)


def _letters_of(name: str) -> str:
    """Return the letters and digits by which a reader tells two names apart.

    Without case, accents, blanks, signs and what cannot be seen; a name of signs alone stays as it
    is.
    """
    return "".join(letter for letter in fold(without_unseen(name)) if letter.isalnum()) or name


def _mixes_alphabets(word: str) -> bool:
    """Whether letters of two alphabets are in the word: many look like those of another one."""
    plain = unicodedata.normalize("NFKD", without_unseen(word))
    names = (unicodedata.name(letter, "") for letter in plain if letter.isalpha())
    return len({name.split(" ")[0] for name in names} - _MIXED) > 1
