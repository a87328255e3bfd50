"""Deleting what is kept no longer: expired sessions and old form keys, some at a time."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet

from web.models import FormKey

ROWS_AT_ONCE = 1_000


def delete_expired_sessions(*, now: datetime) -> int:
    """Delete some sessions that expired long enough ago; return how many."""
    end = now - settings.RETENTION["SESSIONS"]
    return delete_some(Session.objects.filter(expire_date__lte=end).order_by("expire_date"))


def delete_old_form_keys(*, now: datetime) -> int:
    """Delete some form keys; return how many."""
    end = now - settings.RETENTION["FORM_KEYS"]
    return delete_some(FormKey.objects.filter(created_at__lte=end).order_by("created_at"))


def delete_some(rows: QuerySet[Any]) -> int:
    """Delete the first of these rows that no other worker works on; return how many."""
    with transaction.atomic():
        locked = rows.select_for_update(skip_locked=True)[:ROWS_AT_ONCE]
        keys = [row.pk for row in locked]
        rows.model._base_manager.filter(pk__in=keys).delete()
    return len(keys)
