"""Services that write the audit trail."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import models

from audit.actors import Actor
from audit.copies import insert_copies
from audit.models import AuditEvent
from web.origin import current_origin


def record_audit_event(
    *,
    action: str,
    about: models.Model,
    by: Actor,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEvent:
    """Write one audit event: `by` did `action` to `about`.

    `before` and `after` are the changed fields as plain values. The newest `after` of an object
    must equal its state. The network address and the request id come from the current request. Call
    it in the transaction of the action.
    """
    origin = current_origin()
    return AuditEvent.objects.create(
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


def record_copies(*, of: AuditEvent, objects: Mapping[int, dict[str, Any]]) -> None:
    """Write the same event for more objects: `objects` maps each key to its own `after`."""
    insert_copies(
        of=of,
        varying={
            "object_id": [str(key) for key in objects],
            "after": [json.dumps(after) for after in objects.values()],
        },
    )
