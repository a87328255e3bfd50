"""Freezing and unfreezing accounts: the only writers of freezes."""

import re
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.enums import FreezeCause, FreezeScope
from accounts.models import CustomerAccount, Freeze, User, acts_for_provider
from audit.services import record_audit_event, record_audit_events
from web.fixed_queries import KEY, TEXT, fixed_query
from web.shown_versions import ShownVersion, check_shown
from web.transactions import whole_transaction

# The names that `shown_freezes()` and `shown_cause()` give to what a page shows.
FREEZE_NAME = re.compile(r"freeze-(\d+)")
CAUSE_NAME = re.compile(r"(\w+)-freeze-(\d+)")
# What higher apps do in the transaction in which freezes of these accounts open or close.
_after_freezing: list[Callable[[Collection[int]], None]] = []


def call_after_freezing(function: Callable[[Collection[int]], None]) -> None:
    """Have the function called with the keys of accounts, once the app of the function is ready."""
    _after_freezing.append(function)


def lock_accounts(keys: Collection[int]) -> dict[int, CustomerAccount]:
    """Lock the accounts until the transaction ends; return them with their owners, by key.

    The order of the keys keeps two actions on the same accounts from a deadlock.
    """
    rows = CustomerAccount.objects.select_for_update(of=("self",)).select_related("owner")
    return {account.pk: account for account in rows.filter(pk__in=keys).order_by("pk")}


@whole_transaction
def freeze_account(
    *,
    account: CustomerAccount,
    cause: FreezeCause,
    scope: FreezeScope = FreezeScope.ACCOUNT,
    reason: str = "",
    by: User | None,
    now: datetime,
    shown_version: ShownVersion | None = None,
) -> Freeze:
    """Freeze the account for this cause and return the open freeze.

    At most one freeze is open per cause: a repeated call with a wider scope closes the open one and
    opens another, any other changes nothing. Locks the account. Raises ChangedMeanwhile if the
    version is not that of `shown_cause()`.
    """
    with transaction.atomic():
        lock_accounts([account.pk])
        freezes = list(account.freezes.all())
        check_shown(shown_version, shown_cause(account, freezes, cause), account=account)
        at = latest_moment(freezes, now)
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
    existing = _open_freezes.first(account.pk, cause)
    if existing is not None and scope in (existing.scope, FreezeScope.ACCOUNT):
        return existing
    if existing is not None:
        _replace(existing, by=by, now=now)
    freeze = account.freezes.create(
        cause=cause,
        scope=scope,
        reason=reason,
        frozen_at=now,
        frozen_by=by,
        frozen_by_provider=acts_for_provider(by),
    )
    record_audit_event(
        action="freeze.opened" if existing is None else "freeze.widened",
        about=freeze,
        by=by,
        now=now,
        after={"account": account.pk, "cause": cause, "scope": scope, "reason": reason},
    )
    _tell_higher_apps([account.pk])
    return freeze


def _replace(freeze: Freeze, *, by: User | None, now: datetime) -> None:
    """Close a freeze that a wider one follows at once: each names who froze, when and why."""
    freeze.unfrozen_at, freeze.unfrozen_by = now, by
    freeze.unfrozen_by_provider = acts_for_provider(by)
    freeze.save(update_fields=["unfrozen_at", "unfrozen_by", "unfrozen_by_provider"])
    record_audit_event(
        action="freeze.replaced",
        about=freeze,
        by=by,
        now=now,
        before={"unfrozen_at": None},
        after={"unfrozen_at": now},
    )


@fixed_query(KEY, TEXT)
def _open_freezes(account: int, cause: str) -> QuerySet[Freeze]:
    return Freeze.objects.open().filter(account=account, cause=cause)


@whole_transaction
def unfreeze_account(
    *,
    account: CustomerAccount,
    causes: Collection[FreezeCause],
    reason: str = "",
    by: User | None,
    now: datetime,
    shown_version: ShownVersion | None = None,
) -> list[Freeze]:
    """Close the open freezes with one of these causes and return them; none is no error.

    Locks the account. One audit event per freeze. Raises ChangedMeanwhile if one of them is not in
    the version of `shown_freezes()`.
    """
    with transaction.atomic():
        freezes = freezes_of(lock_accounts([account.pk]))
        check_shown(shown_version, shown_freezes(freezes, causes), account=account)
        closed, _ = close_freezes(freezes=freezes, causes=causes, reason=reason, by=by, now=now)
        return closed


def freezes_of(accounts: Collection[int]) -> list[Freeze]:
    """Return every freeze of these accounts, closed ones too; one statement."""
    return list(Freeze.objects.filter(account__in=accounts).order_by("pk"))


def shown_freezes(freezes: Iterable[Freeze], causes: Collection[FreezeCause]) -> dict[str, Any]:
    """Return what a page shows that lifts the open freezes with these causes.

    A freeze that was lifted meanwhile is no value any more, so it does not conflict.
    """
    lifted = [row for row in freezes if row.is_open and row.cause in causes]
    return {f"freeze-{row.pk}": [row.scope, row.reason] for row in lifted}


def shown_cause(
    account: CustomerAccount, freezes: Iterable[Freeze], cause: FreezeCause
) -> dict[str, Any]:
    """Return what a page shows that freezes the account: the open freeze with this cause."""
    row = next((row for row in freezes if row.is_open and row.cause == cause), None)
    return {f"{cause}-freeze-{account.pk}": row and [row.pk, row.scope, row.reason]}


def close_freezes(
    *,
    freezes: Collection[Freeze],
    causes: Collection[FreezeCause],
    reason: str,
    by: User | None,
    now: datetime,
) -> tuple[list[Freeze], list[Freeze]]:
    """Do what `unfreeze_account()` says with all freezes of accounts that the caller has locked.

    Returns the freezes that were closed and those that are still open. At most two statements.
    """
    now = latest_moment(freezes, now)
    still_open = [freeze for freeze in freezes if freeze.is_open]
    closed = [freeze for freeze in still_open if freeze.cause in causes]
    if not closed:
        return [], still_open
    changed = {
        "unfrozen_at": now,
        "unfrozen_by": by,
        "unfrozen_by_provider": acts_for_provider(by),
        "unfreeze_reason": reason,
    }
    Freeze.objects.filter(pk__in=[freeze.pk for freeze in closed]).update(**changed)
    for freeze in closed:
        for name, value in changed.items():
            setattr(freeze, name, value)
    after = {"unfrozen_at": now, "unfreeze_reason": reason}
    record_audit_events(
        action="freeze.closed",
        changes=[
            (freeze, {"unfrozen_at": None}, {"cause": freeze.cause, **after}) for freeze in closed
        ],
        by=by,
        now=now,
    )
    _tell_higher_apps([freeze.account_id for freeze in closed])
    return closed, [freeze for freeze in still_open if freeze.is_open]


def _tell_higher_apps(accounts: Collection[int]) -> None:
    for function in _after_freezing:
        function(accounts)


def latest_moment(freezes: Iterable[Freeze], now: datetime) -> datetime:
    """Return `now`, or the moment of the last freeze or unfreeze if that is later.

    An action that read the clock and then waited for the lock is dated after what it waited for.
    """
    moments = [moment for row in freezes for moment in (row.frozen_at, row.unfrozen_at) if moment]
    return max([now, *moments])
