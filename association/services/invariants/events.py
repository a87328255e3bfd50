"""I16: what events say of associations; that each has its events is kept by tests alone.

Servers of the version before events publish none while an upgrade runs, and old events are deleted:
from no moment on is it sure that an event must be there.
"""

from collections.abc import Iterator

from django.db.models import CharField, Count, Exists, OuterRef, QuerySet
from django.db.models.functions import Cast

from association.models import Association
from association.services.invariants.violations import Violation, violations
from outbox.models import Event
from partners.enums import EventKind

_ONCE = (EventKind.ASSOCIATION_CREATED, EventKind.ASSOCIATION_ENDED)


def events_agree() -> Iterator[Violation]:
    """I16: an association is made once and ends once, and only one that has ended says so."""
    events = Event.objects.order_by().filter(kind__in=_ONCE)
    counts = events.values_list("kind", "object_label", "object_id").annotate(number=Count("pk"))
    for kind, label, key, number in counts.filter(number__gt=1):
        yield Violation("I16", f"{label}:{key}", f"has {number} events {kind}")
    made = Association.objects.all()
    ended = made.filter(ended_at__isnull=False)
    for kind, rows, detail in (
        (EventKind.ASSOCIATION_CREATED, made, "says that an association was made that is missing"),
        (EventKind.ASSOCIATION_ENDED, ended, "says that an association ended that has not"),
    ):
        yield from violations("I16", events.filter(~Exists(_named(rows)), kind=kind), detail)


def _named(rows: QuerySet[Association]) -> QuerySet[Association]:
    """Return the association that the outer event names; its key becomes text, to be compared."""
    return rows.annotate(key=Cast("pk", CharField())).filter(key=OuterRef("object_id"))
