"""Replacing a person's address by a pseudonym in every table."""

import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q, TextField
from django.db.models.functions import Cast

from association.models import Consent, LegalDocument
from audit.models import AuditEvent, Erasure
from web.email_addresses import known_masks, may_be_mask_of, replace_address, replace_masked
from web.random_ids import CROCKFORD

# Their texts are the provider's, or are erased in a way of their own (`audit/retention.py`).
LEFT_ALONE = (AuditEvent, Consent, Erasure, LegalDocument)
# The keys of changed rows, and which of their columns were the address alone.
Changed = dict[Any, frozenset[str]]


def new_pseudonym() -> str:
    """Return "erased-" and ten random characters."""
    return "erased-" + "".join(secrets.choice(CROCKFORD) for _ in range(10))


@dataclass(slots=True)
class Pseudonym:
    """A person's addresses and names, and what takes their place."""

    name: str
    addresses: set[str]
    names: set[str] = field(default_factory=set)

    @property
    def address(self) -> str:
        """An address that receives no e-mail (RFC 2606)."""
        return f"{self.name}@erased.invalid"

    def erase_addresses(self, value: Any) -> Any:
        """Replace the addresses, masked or not, in a text, or in those of lists and mappings."""
        if isinstance(value, str):
            for address in self.addresses:
                value = replace_address(value, address, self.address)
                value = replace_masked(value, address, self.address)
            return value
        return self._inside(value, self.erase_addresses)

    def erase_person(self, value: Any) -> Any:
        """Replace also names where they are the whole text."""
        if isinstance(value, str):
            return self.name if value in self.names else self.erase_addresses(value)
        return self._inside(value, self.erase_person)

    def erase_values(self, columns: Collection[str], values: Any) -> Any:
        """Replace the person in the values of an object whose columns these addresses were.

        There a mask with any number is the person's: a key that is not known any more made it.
        """
        erased = self.erase_person(values)
        if not isinstance(erased, dict):
            return erased
        return {
            name: self.address if name in columns and self._may_be_masked(value) else value
            for name, value in erased.items()
        }

    def is_address(self, value: Any) -> bool:
        return isinstance(value, str) and value.lower() in self.addresses

    def _may_be_masked(self, value: Any) -> bool:
        return isinstance(value, str) and any(may_be_mask_of(value, a) for a in self.addresses)

    def _inside(self, value: Any, erase: Any) -> Any:
        if isinstance(value, dict):
            return {key: erase(inner) for key, inner in value.items()}
        return [erase(inner) for inner in value] if isinstance(value, list) else value

    def occurs_in(self, *names: str) -> Q:
        """Return the condition that one of these columns contains an address, masked or not."""
        texts = set[str]().union(self.addresses, *map(known_masks, self.addresses))
        # As they are, and as JSON may store them, with other letters than ASCII.
        spelled = texts | {json.dumps(text)[1:-1] for text in texts}
        found = Q()
        for name in names:
            for text in spelled:
                found |= Q(**{f"{name}__icontains": text})
        return found


def replace_everywhere(pseudonym: Pseudonym) -> dict[type[models.Model], Changed]:
    """Replace the addresses in every text and JSON column; return the changed rows.

    Reads each table once. Call it inside the transaction of the erasure.
    """
    changed = {}
    for model in apps.get_models():
        if not issubclass(model, LEFT_ALONE):
            rows = _replace_in(model, pseudonym)
            if rows:
                changed[model] = rows
    return changed


def _replace_in(model: type[models.Model], pseudonym: Pseudonym) -> Changed:
    names = [
        column.name
        for column in model._meta.concrete_fields
        if isinstance(column, models.CharField | models.TextField | models.JSONField)
        and not column.primary_key
    ]
    if not names:
        return {}
    texts = {f"text_of_{name}": Cast(name, TextField()) for name in names}
    rows = model._base_manager.annotate(**texts).filter(pseudonym.occurs_in(*texts))
    changed: Changed = {}
    for row in rows.select_for_update(of=("self",)).order_by("pk"):
        old = {name: getattr(row, name) for name in names}
        new = {name: pseudonym.erase_addresses(value) for name, value in old.items()}
        values = {name: value for name, value in new.items() if _plain(value) != _plain(old[name])}
        if values:
            model._base_manager.filter(pk=row.pk).update(**_fitting(model, values))
            changed[row.pk] = frozenset(n for n in values if pseudonym.is_address(old[n]))
    return changed


def _plain(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, default=str, sort_keys=True)


def _fitting(model: type[models.Model], values: dict[str, Any]) -> dict[str, Any]:
    """Cut the texts that the pseudonym has made too long."""
    lengths = {name: getattr(model._meta.get_field(name), "max_length", None) for name in values}
    return {
        name: value[: lengths[name]] if isinstance(value, str) else value
        for name, value in values.items()
    }
