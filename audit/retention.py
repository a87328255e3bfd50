"""The two ways of changing evidence: shortening network addresses, and erasure by pseudonym."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from audit.models import AppendOnlyModel, AuditEvent, Erasure, ShorteningProgress
from web.origin import shortened_address

ROWS_AT_ONCE = 1_000


def shorten_addresses_of_events(*, now: datetime) -> int:
    """Shorten the network addresses of some old audit events; return how many rows were read."""
    return shorten_addresses(AuditEvent, "occurred_at", now=now)


def shorten_addresses(model: type[AppendOnlyModel], moment: str, *, now: datetime) -> int:
    """Shorten the network addresses of the next old rows; return how many rows were read.

    Goes on after the last row of the time before, in the order of the index on `moment`, so it
    reads no row twice. Of two workers one goes on, and the other does nothing.
    """
    end = now - settings.RETENTION["NETWORK_ADDRESSES"]
    label = model._meta.label_lower
    ShorteningProgress.objects.get_or_create(model_label=label)
    with transaction.atomic():
        locked = ShorteningProgress.objects.select_for_update(skip_locked=True)
        progress = locked.filter(model_label=label).first()
        if progress is None:
            return 0
        rows: QuerySet[Any] = QuerySet(model).filter(**{f"{moment}__lte": end})
        if progress.last_moment is not None:
            same_moment = Q(**{moment: progress.last_moment}, pk__gt=progress.last_id)
            rows = rows.filter(
                Q(**{f"{moment}__gt": progress.last_moment}) | same_moment,
                **{f"{moment}__gte": progress.last_moment},
            )
        columns = rows.order_by(moment, "pk").values_list("network_address", "pk", moment)
        old = list(columns[:ROWS_AT_ONCE])
        if old:
            _shorten(model, [row[:2] for row in old])
            _address, progress.last_id, progress.last_moment = old[-1]
            progress.save(update_fields=["last_id", "last_moment"])
    return len(old)


def _shorten(model: type[AppendOnlyModel], rows: Iterable[tuple[str | None, int]]) -> None:
    by_address = sorted((address, key) for address, key in rows if address)
    for address, group in groupby(by_address, lambda row: row[0]):
        shortened = shortened_address(address)
        if shortened != address:
            keys = [key for _address, key in group]
            QuerySet(model).filter(pk__in=keys).update(network_address=shortened)


@contextmanager
def erasure(pseudonym: str) -> Iterator[None]:
    """Let this transaction put the pseudonym into the values of audit events."""
    with transaction.atomic():
        running = Erasure.objects.create(pseudonym=pseudonym)
        yield
        running.delete()


def erase_from_events(events: "QuerySet[AuditEvent]", erase: Callable[[Any], Any]) -> int:
    """Replace values of these events by `erase(value)`; return how many events changed.

    Call it within `erasure()`: what `erase()` changes must contain the pseudonym.
    """
    changed = 0
    for event in events.order_by("pk").iterator(chunk_size=ROWS_AT_ONCE):
        values = {name: erase(getattr(event, name)) for name in ("before", "after")}
        if any(getattr(event, name) != value for name, value in values.items()):
            QuerySet(AuditEvent).filter(pk=event.pk).update(**values)
            changed += 1
    return changed
