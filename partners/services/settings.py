"""What a partner's administrators decide for their organisation, and which names they may take."""

import unicodedata
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from audit.models import Actor
from audit.services import record_audit_event
from partners.enums import SettingsRefusal
from partners.models import Partner
from web.locks import lock_name
from web.refused import Refused
from web.shown_versions import ShownVersion, check_shown
from web.transactions import whole_transaction

_NAMES = "partners.names"
# Alphabets with letters that look like those of another one.
_ALIKE = ("LATIN", "CYRILLIC", "GREEK")


@whole_transaction
def edit_settings(
    *,
    partner: Partner,
    changes: Mapping[str, Any],
    by: Actor,
    now: datetime,
    shown_version: ShownVersion | None = None,
) -> Partner:
    """Give these fields of the partner the values, with one audit event of those that change.

    Raises Refused with a SettingsRefusal for the name, and ChangedMeanwhile if the version is not
    that of `settings_of()` the same fields.
    """
    with transaction.atomic():
        if "name" in changes:
            lock_names()
        locked = Partner.objects.select_for_update(no_key=True).get(pk=partner.pk)
        before = settings_of(locked, changes)
        changed = [name for name, value in changes.items() if before[name] != value]
        if not changed:
            return locked
        check_shown(shown_version, before, about=locked)
        if "name" in changed:
            check_name(locked, changes["name"])
        for name in changed:
            setattr(locked, name, changes[name])
        locked.save(update_fields=[*changed, "updated_at"])
        record_audit_event(
            action="partner.settings_changed",
            about=locked,
            by=by,
            now=now,
            before={name: before[name] for name in changed},
            after={name: changes[name] for name in changed},
        )
    return locked


def settings_of(partner: Partner, names: Collection[str]) -> dict[str, Any]:
    """Return what the page shows of these fields; of a country its code."""
    values = {name: getattr(partner, name) for name in names}
    return values | {name: str(values[name]) for name in values if name == "country"}


def lock_names() -> None:
    """Let partners that take a name at once wait for each other, until the transaction ends."""
    lock_name(_NAMES)


def check_name(partner: Partner, name: str) -> None:
    """Raise Refused for a name that customers could take for another one (decision 0040)."""
    if any(_mixes_alphabets(word) for word in name.split()):
        raise Refused(SettingsRefusal.NAME_MIXES_ALPHABETS)
    letters, provider = letters_of(name), letters_of(settings.PROVIDER_NAME)
    if provider and provider in letters:
        raise Refused(SettingsRefusal.NAME_OF_PROVIDER)
    others = Partner.objects.exclude(pk=partner.pk).values_list("name", "legal_name")
    if any(letters in {letters_of(taken), letters_of(legal)} for taken, legal in others):
        raise Refused(SettingsRefusal.NAME_TAKEN)


def letters_of(name: str) -> str:
    """Return the letters and digits by which a reader tells two names apart.

    Without case, accents, blanks and signs; a name of signs alone stays as it is.
    """
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in plain if letter.isalnum()) or name


def _mixes_alphabets(word: str) -> bool:
    letters = (unicodedata.name(letter, "") for letter in word if letter.isalpha())
    return len({name.split(" ")[0] for name in letters} & set(_ALIKE)) > 1
