"""Which names a partner may take: those that customers cannot take for another's."""

import unicodedata

from django.conf import settings

from partners.enums import NameRefusal
from partners.models import Partner
from web.locks import lock_name
from web.refused import Refused

_NAMES = "partners.names"
# Alphabets with letters that look like those of another one.
_ALIKE = ("LATIN", "CYRILLIC", "GREEK")


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

    Without case, accents, blanks and signs; a name of signs alone stays as it is.
    """
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in plain if letter.isalnum()) or name


def _mixes_alphabets(word: str) -> bool:
    letters = (unicodedata.name(letter, "") for letter in word if letter.isalpha())
    return len({name.split(" ")[0] for name in letters} & set(_ALIKE)) > 1
