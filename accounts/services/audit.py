"""Writing the audit trail."""

from datetime import datetime
from typing import Any

from django.db import models

from accounts.models import AuditEvent, User
from accounts.origin import current_origin


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
    origin = current_origin()
    return AuditEvent.objects.create(
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
