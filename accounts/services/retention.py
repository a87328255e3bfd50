"""Deleting verification codes that are kept no longer, some at a time."""

from datetime import datetime

from django.conf import settings

from accounts.models import VerificationCode
from web.retention import delete_some


def delete_old_codes(*, now: datetime) -> int:
    """Delete some codes; return how many. Limits count those of the last day only."""
    end = now - settings.RETENTION["CODES"]
    return delete_some(VerificationCode.objects.filter(sent_at__lte=end).order_by("sent_at"))
