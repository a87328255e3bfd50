"""Services that write the audit trail and the security log."""

import json
import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import models
from django.utils import timezone

from audit.models import Actor, AuditEvent
from web.email_addresses import mask_addresses
from web.origin import current_origin

_security_log = logging.getLogger("security")

Values = dict[str, Any] | None
# A saved object with its fields before and after.
Change = tuple[models.Model, Values, Values]


def record_audit_event(
    *,
    action: str,
    about: models.Model,
    by: Actor,
    now: datetime,
    before: Values = None,
    after: Values = None,
) -> AuditEvent:
    """Write one audit event: `by` did `action` to `about`.

    `before` and `after` are the changed fields as plain values. The newest `after` of an object
    must equal its state; e-mail addresses in it are masked. The network address and the request id
    come from the current request. Call it in the transaction of the action.
    """
    event = _build_event(action, (about, before, after), by, now)
    event.save(force_insert=True)
    return event


def record_audit_events(
    *, action: str, changes: Iterable[Change], by: Actor, now: datetime
) -> None:
    """Write a row for each change, as `record_audit_event()` does, a thousand in a statement."""
    events = (_build_event(action, change, by, now) for change in changes)
    AuditEvent.objects.bulk_create(events, batch_size=1_000)


def log_security_event(event: str, **facts: Any) -> None:
    """Write one line of JSON, in which no value can forge a second line.

    Never pass a token or an e-mail address.
    """
    origin = current_origin()
    line = {
        "event": event,
        "at": timezone.now().isoformat(),
        "request": origin.request_id,
        "network_address": origin.network_address,
        **facts,
    }
    _security_log.info(json.dumps(line))


def _build_event(action: str, change: Change, by: Actor, now: datetime) -> AuditEvent:
    about, before, after = change
    origin = current_origin()
    return AuditEvent(
        occurred_at=now,
        actor_id=by.pk if by else None,
        action=action,
        object_label=about._meta.label_lower,
        object_id=str(about.pk),
        before=_masked(before),
        after=_masked(after),
        network_address=origin.network_address,
        request_id=origin.request_id,
    )


def _masked(values: Values) -> Values:
    """Mask the addresses in texts, also in those that people typed."""
    if values is None:
        return None
    return {
        name: mask_addresses(value) if isinstance(value, str) else value
        for name, value in values.items()
    }
