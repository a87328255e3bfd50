"""Forgetting to whom e-mails went, and with which values; deleting old events."""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from outbox.models import Event, OutboxMessage
from web.retention import delete_some

ROWS_AT_ONCE = 1_000


def forget_recipients(*, now: datetime) -> int:
    """Empty recipient and data of some old e-mails that are sent, dropped or dead; return how many.

    Which object each was about, when, and how it ended, stays.
    """
    end = now - settings.RETENTION["EMAILS"]
    with transaction.atomic():
        old = OutboxMessage.objects.ended().exclude(recipient="").filter(created_at__lte=end)
        locked = old.order_by("created_at").select_for_update(skip_locked=True)[:ROWS_AT_ONCE]
        keys = [message.pk for message in locked]
        OutboxMessage.objects.filter(pk__in=keys).update(recipient="", data={})
    return len(keys)


def delete_old_events(*, now: datetime) -> int:
    """Delete some old events that have a position, so that readers could see them; how many."""
    end = now - settings.RETENTION["EVENTS"]
    old = Event.objects.filter(occurred_at__lte=end, position__isnull=False)
    return delete_some(old.order_by("occurred_at"))
