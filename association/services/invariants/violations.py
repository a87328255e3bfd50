"""The violation of an invariant, and the queries that the checks share."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, Count, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Coalesce

from audit.models import AuditEvent

# How many rows are in memory at a time.
CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Violation:
    """One object that breaks one invariant; ids only, never an address."""

    invariant: str
    object: str
    detail: str


def violations(
    invariant: str, rows: QuerySet[Any], detail: str, *columns: str
) -> Iterator[Violation]:
    """Yield a violation for each row; `{}` in the detail are filled from the columns."""
    label = rows.model._meta.label_lower
    for key, *values in rows.values_list("pk", *columns).order_by().iterator(chunk_size=CHUNK):
        yield Violation(invariant, f"{label}:{key}", detail.format(*values))


def as_text(name: str) -> Cast:
    """Return the outer row's key as the audit trail and the outbox store it."""
    return Cast(OuterRef(name), CharField())


def events_about(label: str, key: str) -> QuerySet[AuditEvent]:
    """Return the audit events about the outer row's object, whose key is in the column `key`."""
    events: QuerySet[AuditEvent] = AuditEvent.objects.filter(
        object_label=label, object_id=as_text(key)
    )
    return events


def count_of(rows: QuerySet[Any]) -> Coalesce:
    """Return the number of these rows for the outer row."""
    grouped = rows.order_by().annotate(one=Value(1)).values("one")
    return Coalesce(Subquery(grouped.annotate(number=Count("pk")).values("number")), 0)
