"""What a broken invariant is called, and how objects are named without saying whose they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Cast

from audit.models import AuditEvent

# How many rows are held at a time; the rest waits in the database.
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
    """Yield a violation for each row; `{…}` in the detail are filled from the named columns."""
    label = rows.model._meta.label_lower
    for key, *values in rows.values_list("pk", *columns).order_by().iterator(chunk_size=CHUNK):
        yield Violation(invariant, f"{label}:{key}", detail.format(*values))


def as_text(name: str) -> Cast:
    """Return the key as the audit trail and the outbox name it."""
    return Cast(OuterRef(name), models.CharField())


def events_about(label: str, key: str) -> QuerySet[AuditEvent]:
    """Return the audit events of the outer row's object, whose key is in the column `key`."""
    events: QuerySet[AuditEvent] = AuditEvent.objects.filter(
        object_label=label, object_id=as_text(key)
    )
    return events


def count_of(rows: QuerySet[Any]) -> Subquery:
    """Return how many rows there are for the outer row; NULL for none."""
    grouped = rows.order_by().annotate(one=models.Value(1)).values("one")
    return Subquery(grouped.annotate(number=models.Count("pk")).values("number"))
