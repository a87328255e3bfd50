"""Rows of the demo that no service makes: added and brought back in order, each with its audit."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import models

from audit.services import record_audit_event

# How far a moment may drift from where the demo wants it before it is set anew.
DRIFT = timedelta(days=1)


def add_row(obj: models.Model, *, now: datetime, audited: Mapping[str, Any]) -> None:
    """Insert the row and write its audit event, which keeps `audited`."""
    obj.save(force_insert=True)
    action = f"{obj._meta.model_name}.added"
    record_audit_event(action=action, about=obj, by=None, now=now, after=dict(audited))


def bring_back(obj: models.Model, wanted: Mapping[str, Any], *, now: datetime) -> bool:
    """Set the fields that are not as wanted, with one audit event; return whether any was not.

    A moment that has drifted less than a day is as wanted.
    """
    before = {name: getattr(obj, name) for name in wanted}
    changed = [name for name in wanted if not _as_wanted(before[name], wanted[name])]
    if not changed:
        return False
    for name in changed:
        setattr(obj, name, wanted[name])
    obj.save(update_fields=changed)
    record_audit_event(
        action=f"{obj._meta.model_name}.changed",
        about=obj,
        by=None,
        now=now,
        before={name: _plain(before[name]) for name in changed},
        after={name: _plain(wanted[name]) for name in changed},
    )
    return True


def _as_wanted(stored: Any, wanted: Any) -> bool:
    if isinstance(stored, datetime) and isinstance(wanted, datetime):
        return abs(stored - wanted) < DRIFT
    return bool(stored == wanted)


def _plain(value: Any) -> Any:
    kept = (type(None), bool, int, str, datetime)
    return value if isinstance(value, kept) else str(value)
