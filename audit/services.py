"""Writing the audit trail."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models

from audit.copies import insert_copies
from audit.models import AuditEvent
from web.origin import current_origin


def record_audit_event(
    *,
    action: str,
    about: models.Model,
    by: AbstractBaseUser | None,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEvent:
    """Write one row: `by` (None: a command) did `action` to `about`.

    `before` and `after` hold the fields that changed, as plain values; the latest `after` of an
    object equals its state. The network address and request id are those of the request being
    answered. Call it inside the transaction of the action.
    """
    event = build_audit_event(
        action=action, about=about, by=by, now=now, before=before, after=after
    )
    event.save(force_insert=True)
    return event


def build_audit_event(
    *,
    action: str,
    about: models.Model,
    by: AbstractBaseUser | None,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEvent:
    """Return the row that `record_audit_event()` writes, for `record_audit_events()`."""
    origin = current_origin()
    return AuditEvent(
        occurred_at=now,
        actor_id=by.pk if by else None,
        action=action,
        object_label=about._meta.label_lower,
        object_id=str(about.pk),
        before=before,
        after=after,
        address=origin.address,
        request_id=origin.request_id,
    )


def record_audit_events(events: Iterable[AuditEvent]) -> None:
    """Write the events of `build_audit_event()` in one statement."""
    AuditEvent.objects.bulk_create(events)


def record_copies(*, of: AuditEvent, objects: Mapping[int, dict[str, Any]]) -> None:
    """Write the same event for more objects of its kind: each one's key, and its own `after`."""
    insert_copies(
        of=of,
        varying={
            "object_id": [str(key) for key in objects],
            "after": [json.dumps(after) for after in objects.values()],
        },
    )
