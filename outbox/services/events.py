"""Publishing events in an action's transaction, and numbering them once they are committed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import models, transaction

from outbox.models import Event, EventCounter
from web.locks import lock_name
from web.random_ids import random_id
from web.transactions import whole_transaction

EVENTS_AT_ONCE = 1_000
_NUMBERING = "outbox.number_events"
# An UPDATE compares each of its rows with each of its values.
_ROWS_PER_UPDATE = 250


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to publish: what happened to which object, and whose partner reads it.

    `data` must have nothing that a person typed, no address and no amount.
    """

    kind: str
    about: models.Model
    partner_id: int | None
    data: Mapping[str, Any] = field(default_factory=dict)


def publish(
    *,
    kind: str,
    about: models.Model,
    partner_id: int | None,
    now: datetime,
    data: Mapping[str, Any] | None = None,
) -> Event:
    """Publish one event, as `publish_many()` does."""
    event = NewEvent(kind, about, partner_id, data or {})
    return publish_many(events=[event], now=now)[0]


def publish_many(*, events: Iterable[NewEvent], now: datetime) -> list[Event]:
    """Write the events, a thousand in a statement; other systems read them after the commit.

    Readers get them in this order. Call it in the transaction of the action.
    """
    new = list(events)
    # Events of one moment are numbered in the order of their keys.
    keys = sorted(random_id() for _event in new)
    rows = [_build(event, key, now) for event, key in zip(new, keys, strict=True)]
    return Event.objects.bulk_create(rows, batch_size=EVENTS_AT_ONCE)


@whole_transaction
def number_events(*, now: datetime) -> int:
    """Give some committed events the next positions; return how many.

    Positions are consecutive, and events appear in their order: workers wait for each other until
    the commit. An event that is committed later gets a later position, whenever it began.
    """
    if not Event.objects.unnumbered().exists():
        return 0
    with transaction.atomic():
        lock_name(_NUMBERING)
        events = list(Event.objects.unnumbered().order_by("occurred_at", "pk")[:EVENTS_AT_ONCE])
        counter, _is_new = EventCounter.objects.get_or_create(pk=1)
        for event in events:
            counter.last_position += 1
            event.position = counter.last_position
        Event._base_manager.bulk_update(events, ["position"], batch_size=_ROWS_PER_UPDATE)
        counter.save(update_fields=["last_position"])
    return len(events)


def _build(event: NewEvent, key: int, now: datetime) -> Event:
    return Event(
        pk=key,
        kind=event.kind,
        partner_id=event.partner_id,
        object_label=event.about._meta.label_lower,
        object_id=str(event.about.pk),
        occurred_at=now,
        data=dict(event.data),
    )
