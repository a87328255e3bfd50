"""Services that write the audit trail; what it says of an action, the security log says too."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models, transaction

from audit.models import Actor, AuditEvent
from web.email_addresses import mask_addresses
from web.origin import current_origin
from web.security_log import log_security_event
from web.versioned_forms import LastChange

# How far back `last_events()` looks.
MOST_EVENTS = 100

# What the trail stores as it is; other values become texts.
_PLAIN = (type(None), bool, int, str, Decimal, datetime, date, list, dict)

Values = dict[str, Any] | None
# A saved object with its fields before and after.
Change = tuple[models.Model, Values, Values]


@dataclass(frozen=True, slots=True)
class _Acting:
    """The users with these keys act for an organisation, by its key."""

    organisation_id: int
    users: frozenset[int]


_acting: ContextVar[_Acting | None] = ContextVar("acting", default=None)


@contextmanager
def acting_for(organisation_id: int, *users: AbstractBaseUser) -> Iterator[None]:
    """Let the events of these users that are recorded inside belong to the organisation."""
    token = _acting.set(_Acting(organisation_id, frozenset(user.pk for user in users)))
    try:
        yield
    finally:
        _acting.reset(token)


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
    _log_after_commit(action, by, object=event.object_label, object_id=event.object_id)
    return event


def record_audit_events(
    *, action: str, changes: Iterable[Change], by: Actor, now: datetime
) -> None:
    """Write a row for each change, as `record_audit_event()` does, a thousand in a statement.

    The security log has one line for all of them, with their number.
    """
    events = [_build_event(action, change, by, now) for change in changes]
    if events:
        AuditEvent.objects.bulk_create(events, batch_size=1_000)
        _log_after_commit(action, by, object=events[0].object_label, count=len(events))


def given_reason(reason: str) -> dict[str, str]:
    """Return what an event says of a reason that the object itself does not store."""
    return {"reason": reason} if reason else {}


def moment_after_events(*, about: models.Model, now: datetime) -> datetime:
    """Return `now`, or if that is later the moment of the last event about the locked object.

    An action that read the clock and then waited for the lock is dated after what it waited for.
    """
    events = AuditEvent.objects.filter(
        object_label=about._meta.label_lower, object_id=str(about.pk)
    )
    last: datetime | None = events.aggregate(last=models.Max("occurred_at"))["last"]
    return now if last is None else max(now, last)


def last_changes(
    *, about: models.Model, names: Iterable[str], who: Callable[[Any], str]
) -> dict[str, LastChange]:
    """Return who changed these fields last, when and from what; `who` names the actor."""
    return {
        name: LastChange(who(event.actor), event.occurred_at, event.before or {})
        for name, event in last_events(about=about, names=names).items()
    }


def last_deletion(
    *, model: type[models.Model], object_id: str, who: Callable[[Any], str]
) -> LastChange | None:
    """Return who deleted or removed the object of this key, and when; None if that is not known."""
    events = AuditEvent.objects.filter(object_label=model._meta.label_lower, object_id=object_id)
    event = events.select_related("actor").order_by("-pk").first()
    if event is None or not event.action.endswith((".deleted", ".removed")):
        return None
    return LastChange(who(event.actor), event.occurred_at, event.before or {})


def last_events(*, about: models.Model, names: Iterable[str]) -> dict[str, AuditEvent]:
    """Return the newest event about the object that has each of these fields; one statement."""
    events = _events(type(about), [about.pk]).order_by("-pk")[:MOST_EVENTS]
    return {name: event for (_id, name), event in _newest(events, names).items()}


def last_events_of(
    *, objects: Sequence[models.Model], names: Iterable[str]
) -> dict[tuple[str, str], AuditEvent]:
    """Return the same for objects of one model that have few events, by object id and field."""
    if not objects:
        return {}
    events = _events(type(objects[0]), [row.pk for row in objects]).order_by("-pk")
    return _newest(events, names)


def _events(model: type[models.Model], keys: Iterable[Any]) -> models.QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(
        object_label=model._meta.label_lower,
        object_id__in=[str(key) for key in keys],
        after__isnull=False,
    ).select_related("actor")


def _newest(
    events: Iterable[AuditEvent], names: Iterable[str]
) -> dict[tuple[str, str], AuditEvent]:
    found: dict[tuple[str, str], AuditEvent] = {}
    wanted = set(names)
    for event in events:
        for name in wanted & (event.after or {}).keys():
            found.setdefault((event.object_id, name), event)
    return found


def _log_after_commit(action: str, by: Actor, **facts: Any) -> None:
    log = partial(log_security_event, action, actor=by.pk if by else None, **facts)
    transaction.on_commit(log, robust=True)


def _build_event(action: str, change: Change, by: Actor, now: datetime) -> AuditEvent:
    about, before, after = change
    origin = current_origin()
    return AuditEvent(
        occurred_at=now,
        actor_id=by.pk if by else None,
        acted_for=_organisation_of(by),
        action=action,
        object_label=about._meta.label_lower,
        object_id=str(about.pk),
        before=_masked(before),
        after=_masked(after),
        network_address=origin.network_address,
        request_id=origin.request_id,
    )


def _organisation_of(by: Actor) -> int | None:
    acting = _acting.get()
    if acting is None or by is None or by.pk not in acting.users:
        return None
    return acting.organisation_id


def _masked(values: Values) -> Values:
    """Mask the addresses in texts, also in those that people typed."""
    if values is None:
        return None
    return {name: _masked_value(value) for name, value in values.items()}


def _masked_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _masked_value(inner) for name, inner in value.items()}
    return mask_addresses(value) if isinstance(value, str) else value


def plain_values(obj: models.Model, names: Iterable[str], masked: Sequence[str]) -> dict[str, Any]:
    """Return the fields as the audit trail stores them; names without a field are skipped."""
    fields = {field.name: field for field in (*obj._meta.fields, *obj._meta.many_to_many)}
    values: dict[str, Any] = {}
    for name in names:
        if name not in fields:
            continue
        value = fields[name].value_from_object(obj)
        if fields[name].many_to_many:
            value = sorted(related.pk for related in value)
        elif not isinstance(value, _PLAIN):
            value = str(value)
        values[name] = mask_addresses(value) if name in masked and value else value
    return values
