"""I7: what the audit trail last said about each field of an object is what the object holds.

This asks more than that the latest row agrees: every field is held against the latest row that
names it. Passwords and tokens are never in the trail; addresses are in it masked.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import groupby, islice
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.dateparse import parse_datetime

from association.services.invariants.violations import CHUNK, Violation
from audit.models import AuditEvent

# JSON keeps milliseconds.
EXACT = timedelta(milliseconds=1)
MASK = "…@"


@dataclass(slots=True)
class _Said:
    """What the trail says about one object: each field's latest value; None once deleted."""

    label: str
    key: str
    fields: dict[str, Any] | None


def trail_equals_state() -> Iterator[Violation]:
    """I7: walk the whole trail, object by object; one statement and one per 2,000 objects."""
    for label, said in groupby(_objects(), lambda said: said.label):
        try:
            model: Any = apps.get_model(label)
        except (LookupError, ValueError):
            yield Violation("I7", label, "is in the audit trail and is no model")
            continue
        while batch := list(islice(said, CHUNK)):
            yield from _compare(model, batch)


def _objects() -> Iterator[_Said]:
    events = AuditEvent.objects.order_by("object_label", "object_id", "pk").values_list(
        "object_label", "object_id", "action", "after"
    )
    rows = events.iterator(chunk_size=CHUNK)
    for (label, key), about in groupby(rows, lambda row: row[:2]):
        yield _Said(label, key, _latest((action, after) for _, _, action, after in about))


def _latest(events: Iterable[tuple[str, dict[str, Any] | None]]) -> dict[str, Any] | None:
    fields: dict[str, Any] | None = {}
    for action, after in events:
        if action.endswith(".deleted"):
            fields = None
        elif after:
            fields = {**(fields or {}), **after}
    return fields


def _compare(model: Any, batch: list[_Said]) -> Iterator[Violation]:
    keys = {said.key: _key(model, said.key) for said in batch}
    related = [relation.name for relation in model._meta.many_to_many]
    rows = model._base_manager.prefetch_related(*related)
    found = rows.in_bulk([key for key in keys.values() if key is not None])
    fields = _comparable(model)
    for said in batch:
        row = f"{said.label}:{said.key}"
        obj = found.get(keys[said.key])
        if said.fields is None:
            if obj is not None:
                yield Violation("I7", row, "is there, though the audit trail says it was deleted")
        elif obj is None:
            yield Violation("I7", row, "is in the audit trail and nowhere else")
        else:
            wrong = sorted(
                name
                for name, value in said.fields.items()
                if name in fields and not _agrees(obj, fields[name], value)
            )
            if wrong:
                detail = f"differs from its audit trail in {', '.join(wrong)}"
                yield Violation("I7", row, detail)


def _key(model: Any, text: str) -> Any:
    try:
        return model._meta.pk.to_python(text)
    except ValidationError:
        return None


def _comparable(model: Any) -> dict[str, Any]:
    """Return the fields by the names they go by; moments that keep themselves are left out."""
    own = [f for f in model._meta.concrete_fields if not getattr(f, "auto_now", False)]
    named = {f.name: f for f in (*own, *model._meta.many_to_many)}
    return named | {f.attname: f for f in own}


def _agrees(obj: models.Model, field: Any, said: Any) -> bool:
    """Whether the object's field holds what was said."""
    state = field.value_from_object(obj)
    if field.many_to_many:
        state = sorted(related.pk for related in state)
    if said is None or state is None:
        return said is state
    if isinstance(state, datetime):
        moment = _moment(said)
        return moment is not None and abs(moment - state) < EXACT
    if isinstance(state, Decimal):
        return _amount(said) == state
    if said == state:
        return True
    plain = _plain(state)
    return bool(said == plain) or _is_mask(said, plain)


def _moment(said: Any) -> datetime | None:
    try:
        return parse_datetime(said) if isinstance(said, str) else None
    except ValueError:
        return None


def _amount(said: Any) -> Decimal | None:
    try:
        return Decimal(str(said))
    except InvalidOperation:
        return None


def _plain(state: Any) -> Any:
    """Return the value as JSON keeps it; what JSON does not know, a country say, as its text."""
    if isinstance(state, bool | int | float | str | list | dict):
        return json.loads(json.dumps(state, cls=DjangoJSONEncoder))
    return str(state)


def _is_mask(said: Any, plain: Any) -> bool:
    if not (isinstance(said, str) and isinstance(plain, str) and MASK in said):
        return False
    return said.rpartition("@")[2] == plain.rpartition("@")[2]
