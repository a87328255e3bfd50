"""I7: every object has the values that the audit trail says it has.

Each field is compared with the latest audit event that names it. Passwords and tokens are never in
the trail; addresses are in it masked.
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
from web.email_addresses import mask_address, mask_addresses, without_marks

# JSON stores milliseconds.
PRECISION = timedelta(milliseconds=1)
MASK = "…@"


@dataclass(slots=True)
class _AuditedObject:
    """The latest audited value of each field; `values` is None once the object was deleted."""

    label: str
    key: str
    values: dict[str, Any] | None


def trail_equals_state() -> Iterator[Violation]:
    """I7: compare every audited object; one statement, and one more per 2,000 objects."""
    known = {model._meta.label_lower: model for model in apps.get_models()}
    for label, audited in groupby(_audited_objects(), lambda row: row.label):
        if label not in known:
            yield Violation("I7", label, "is in the audit trail and is not a model")
            continue
        while batch := list(islice(audited, CHUNK)):
            yield from _compare(known[label], batch)


def _audited_objects() -> Iterator[_AuditedObject]:
    events = AuditEvent.objects.order_by("object_label", "object_id", "pk").values_list(
        "object_label", "object_id", "action", "after"
    )
    rows = events.iterator(chunk_size=CHUNK)
    for (label, key), about in groupby(rows, lambda row: row[:2]):
        yield _AuditedObject(label, key, _latest((action, after) for _, _, action, after in about))


def _latest(events: Iterable[tuple[str, dict[str, Any] | None]]) -> dict[str, Any] | None:
    values: dict[str, Any] | None = {}
    for action, after in events:
        if action.endswith(".deleted"):
            values = None
        elif after:
            values = {**(values or {}), **after}
    return values


def _compare(model: Any, batch: list[_AuditedObject]) -> Iterator[Violation]:
    keys = {audited.key: _key(model, audited.key) for audited in batch}
    related = [relation.name for relation in model._meta.many_to_many]
    rows = model._base_manager.prefetch_related(*related)
    found = rows.in_bulk([key for key in keys.values() if key is not None])
    fields = _comparable_fields(model)
    for audited in batch:
        detail = _difference(audited.values, found.get(keys[audited.key]), fields)
        if detail:
            yield Violation("I7", f"{audited.label}:{audited.key}", detail)


def _difference(values: dict[str, Any] | None, obj: Any, fields: dict[str, Any]) -> str:
    """Return how the object differs from its audited values; "" if it does not."""
    if values is None:
        return "" if obj is None else "exists, though the audit trail says it was deleted"
    if obj is None:
        return "is in the audit trail but does not exist"
    wrong = [
        name
        for name, value in sorted(values.items())
        if name in fields and not _agrees(obj, fields[name], value)
    ]
    return f"differs from its audit trail in {', '.join(wrong)}" if wrong else ""


def _key(model: Any, text: str) -> Any:
    try:
        return model._meta.pk.to_python(text)
    except ValidationError:
        return None


def _comparable_fields(model: Any) -> dict[str, Any]:
    """Return the fields by name and by column; moments that Django sets by itself are left out."""
    own = [f for f in model._meta.concrete_fields if not getattr(f, "auto_now", False)]
    named = {f.name: f for f in (*own, *model._meta.many_to_many)}
    return named | {f.attname: f for f in own}


def _agrees(obj: models.Model, field: Any, audited: Any) -> bool:
    value = field.value_from_object(obj)
    if field.many_to_many:
        value = sorted(related.pk for related in value)
    if audited is None or value is None:
        return audited is value
    if isinstance(value, datetime):
        moment = _moment(audited)
        return moment is not None and abs(moment - value) < PRECISION
    if isinstance(value, Decimal):
        return _amount(audited) == value
    if audited == value:
        return True
    plain = _plain(value)
    return bool(audited == plain) or _is_mask(audited, plain)


def _moment(audited: Any) -> datetime | None:
    try:
        return parse_datetime(audited) if isinstance(audited, str) else None
    except ValueError:
        return None


def _amount(audited: Any) -> Decimal | None:
    try:
        return Decimal(str(audited))
    except InvalidOperation:
        return None


def _plain(value: Any) -> Any:
    """Return the value as JSON stores it; types that JSON does not know, a country say, as text."""
    if isinstance(value, bool | int | float | str | list | dict):
        return json.loads(json.dumps(value, cls=DjangoJSONEncoder))
    return str(value)


def _is_mask(audited: Any, plain: Any) -> bool:
    if isinstance(audited, dict) and isinstance(plain, dict):
        return audited.keys() == plain.keys() and all(
            audited[name] == plain[name] or _is_mask(audited[name], plain[name]) for name in plain
        )
    if not (isinstance(audited, str) and isinstance(plain, str) and MASK in audited):
        return False
    # It may have been masked with an earlier SECRET_KEY.
    present = {without_marks(mask(plain)) for mask in (mask_address, mask_addresses)}
    return without_marks(mask_addresses(audited)) in present
