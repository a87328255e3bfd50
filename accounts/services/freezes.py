"""Freezing and unfreezing an account: the only writers of freezes.

Who may lift which freeze is decided by `association`; here it only happens.
"""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from accounts.enums import FreezeCause, FreezeScope
from accounts.models import CustomerAccount, Freeze, User
from accounts.services.audit import record_event


def freeze_account(
    *,
    account: CustomerAccount,
    cause: FreezeCause,
    scope: FreezeScope = FreezeScope.ACCOUNT,
    reason: str = "",
    by: User | None,
    now: datetime,
) -> Freeze:
    """Freeze the account for this cause and return the open freeze.

    At most one freeze is open per cause: a repeated call widens the scope of the open one if it
    must, and otherwise changes nothing. Locks the account.
    """
    with transaction.atomic():
        CustomerAccount.objects.select_for_update().get(pk=account.pk)
        at = _not_before_the_last(account, now)
        return open_freeze(account=account, cause=cause, scope=scope, reason=reason, by=by, now=at)


def open_freeze(
    *,
    account: CustomerAccount,
    cause: FreezeCause,
    scope: FreezeScope,
    reason: str,
    by: User | None,
    now: datetime,
) -> Freeze:
    """Do what `freeze_account()` says for an account whose row the caller has locked."""
    existing = account.freezes.open().filter(cause=cause).first()
    if existing is None:
        freeze = account.freezes.create(
            cause=cause, scope=scope, reason=reason, frozen_at=now, frozen_by=by
        )
        record_event(
            action="freeze.opened",
            about=freeze,
            by=by,
            now=now,
            after={"account": account.pk, "cause": cause, "scope": scope, "reason": reason},
        )
        return freeze
    if scope == FreezeScope.ACCOUNT_AND_RESOURCES != existing.scope:
        record_event(
            action="freeze.widened",
            about=existing,
            by=by,
            now=now,
            before={"scope": existing.scope, "reason": existing.reason},
            after={"scope": scope, "reason": reason},
        )
        existing.scope, existing.reason = scope, reason
        existing.save(update_fields=["scope", "reason"])
    return existing


def unfreeze_account(
    *,
    account: CustomerAccount,
    causes: Collection[FreezeCause],
    reason: str = "",
    by: User | None,
    now: datetime,
) -> list[Freeze]:
    """Close the open freezes with one of these causes and return them; none is no error.

    Locks the account. One audit event per freeze.
    """
    with transaction.atomic():
        CustomerAccount.objects.select_for_update().get(pk=account.pk)
        now = _not_before_the_last(account, now)
        closed = list(account.freezes.open().filter(cause__in=causes).order_by("pk"))
        for freeze in closed:
            freeze.unfrozen_at, freeze.unfrozen_by, freeze.unfreeze_reason = now, by, reason
            freeze.save(update_fields=["unfrozen_at", "unfrozen_by", "unfreeze_reason"])
            record_event(
                action="freeze.closed",
                about=freeze,
                by=by,
                now=now,
                before={"unfrozen_at": None},
                after={"cause": freeze.cause, "unfrozen_at": now, "unfreeze_reason": reason},
            )
        return closed


def _not_before_the_last(account: CustomerAccount, now: datetime) -> datetime:
    """Return `now`, or the moment of the locked account's last freeze or unfreeze if that is later.

    Whoever read the clock and then waited for the lock acts after what it waited for.
    """
    last = account.freezes.aggregate(frozen=Max("frozen_at"), unfrozen=Max("unfrozen_at"))
    moments: list[datetime] = [moment for moment in last.values() if moment is not None]
    return max([now, *moments])
