"""Writing the audit trail."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import models

from accounts.models import AuditEvent, User
from accounts.origin import current_origin

Values = dict[str, Any] | None


def record_event(
    *,
    action: str,
    about: models.Model,
    by: User | None,
    now: datetime,
    before: Values = None,
    after: Values = None,
) -> AuditEvent:
    """Write one row: `by` (None: a command) did `action` to `about`.

    `before` and `after` hold the fields that changed, as plain values; the latest `after` of an
    object equals its state. The network address and request id are those of the request being
    answered. Call it inside the transaction of the action.
    """
    event = _event(action, about, by, now, before, after)
    event.save(force_insert=True)
    return event


def record_events(
    *,
    action: str,
    changes: Iterable[tuple[models.Model, Values, Values]],
    by: User | None,
    now: datetime,
) -> None:
    """Write one row for each saved object with its `before` and `after`, as `record_event()`."""
    AuditEvent.objects.bulk_create(
        (_event(action, about, by, now, before, after) for about, before, after in changes),
        batch_size=1_000,
    )


def _event(
    action: str,
    about: models.Model,
    by: User | None,
    now: datetime,
    before: Values,
    after: Values,
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
