"""Writing the audit trail."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import models

from accounts.models import AuditEvent, User
from accounts.origin import current_origin

BATCH = 2000


def record_event(
    *,
    action: str,
    about: models.Model,
    by: User | None,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEvent:
    """Write one row: `by` (None: a command) did `action` to `about`.

    `before` and `after` hold the fields that changed, as plain values; the latest `after` of an
    object equals its state. The network address and request id are those of the request being
    answered. Call it inside the transaction of the act.
    """
    event = _event(action=action, about=about, by=by, now=now, before=before, after=after)
    event.save(force_insert=True)
    return event


def record_created(
    *,
    action: str,
    made: Iterable[tuple[models.Model, dict[str, Any]]],
    by: User | None,
    now: datetime,
) -> None:
    """Write one row for each object just made, with what it was made of, in few statements."""
    AuditEvent.objects.bulk_create(
        [_event(action=action, about=about, by=by, now=now, after=after) for about, after in made],
        batch_size=BATCH,
    )


def _event(
    *,
    action: str,
    about: models.Model,
    by: User | None,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEvent:
    origin = current_origin()
    return AuditEvent(
        occurred_at=now,
        actor=by,
        action=action,
        object_label=about._meta.label_lower,
        object_id=str(about.pk),
        before=before,
        after=after,
        address=origin.address,
        request_id=origin.request_id,
    )
