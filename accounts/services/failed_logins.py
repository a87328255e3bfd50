"""The e-mail to a user whose password someone keeps guessing."""

from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import User
from outbox.models import OutboxMessage
from outbox.services.queue import OutgoingMessage, enqueue_messages
from web.locks import lock_name

_KIND = "accounts.failed_logins"
PAUSE = timedelta(hours=1)


def warn_of_failed_logins(*, user: User, now: datetime) -> bool:
    """Enqueue an e-mail about failed log-ins, at most one per hour; return whether it was."""
    with transaction.atomic():
        lock_name(f"{_KIND}:{user.pk}")
        warned = OutboxMessage.objects.filter(
            kind=_KIND,
            about_label=user._meta.label_lower,
            about_id=str(user.pk),
            created_at__gt=now - PAUSE,
        )
        if warned.exists():
            return False
        outgoing = OutgoingMessage(
            kind=_KIND,
            to=user.email,
            about=user,
            language=user.language,
            data={"noticed_at": now},
            deadline_at=now + PAUSE,
        )
        enqueue_messages(messages=[outgoing], now=now)
        return True
