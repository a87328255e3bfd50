"""What makes two wishes one: a form that is sent twice, its expiry counted from each click."""

from datetime import datetime, timedelta

from django.db.models import Q

# The same wish again within this is a double click.
DOUBLE_CLICK = timedelta(minutes=1)


def ends_about(expires_at: datetime | None) -> Q:
    """Rows that end then as far as two clicks can tell: "in 30 days" moves between them.

    Moments that people type are whole minutes, so two of those are never taken for one.
    """
    if expires_at is None:
        return Q(expires_at__isnull=True)
    return Q(
        expires_at__gt=expires_at - DOUBLE_CLICK,
        expires_at__lt=expires_at + DOUBLE_CLICK,
    )
