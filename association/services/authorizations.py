"""Authorizations after the association: ending the open one."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.services.audit import record_event
from association.models import Association, Authorization


def revoke_open_authorization(
    *, association: Association, reason: str, by: User | None, now: datetime
) -> Authorization | None:
    """End the authorization that is granted or asked for, and return it; None when none is open.

    One that was granted is revoked, one that was only asked for is declined.
    """
    with transaction.atomic():
        open_one = association.authorizations.select_for_update().open().first()
        if open_one is None:
            return None
        ended = "revoked_at" if open_one.granted_at is not None else "declined_at"
        setattr(open_one, ended, now)
        open_one.reason = reason
        open_one.save(update_fields=[ended, "reason"])
        record_event(
            action=f"authorization.{open_one.state}",
            about=open_one,
            by=by,
            now=now,
            before={ended: None},
            after={ended: now, "reason": reason},
        )
        return open_one
