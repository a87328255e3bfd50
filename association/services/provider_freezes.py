"""The provider's own freezes: of any account, with an e-mail to its owner and to its partner."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.enums import FreezeCause, FreezeScope
from accounts.models import CustomerAccount, Freeze, User
from accounts.services.freezes import (
    close_freezes,
    freezes_of,
    latest_moment,
    lock_accounts,
    open_freeze,
    shown_cause,
    shown_freezes,
)
from association.enums import AssociationRefusal
from association.models import Association
from association.services.events import build_frozen_event, build_unfrozen_events
from association.services.moments import LAST_MOMENTS, last_moment_of
from association.services.recipients import tell_frozen, tell_unfrozen
from outbox.services.events import publish_many
from web.refused import Refused
from web.shown_versions import ShownVersion, check_shown
from web.transactions import whole_transaction

CAUSE = FreezeCause.ADMINISTRATOR


@whole_transaction
def freeze_for_provider(
    *,
    account: CustomerAccount,
    scope: FreezeScope,
    reason: str,
    by: User,
    now: datetime,
    shown_version: ShownVersion | None = None,
) -> Freeze:
    """Freeze the account by the provider's decision, beside any other freeze.

    The owner and, if the account is associated, the partner get the reason by e-mail. If this
    freeze is open already with this scope or a wider one, nothing changes and no e-mail is sent.
    Locks the account. Raises Refused, FROZEN_FOR_OTHER_REASON, where nothing would change and
    `reason` would be lost; ChangedMeanwhile if the version is not that of `shown_cause()`.
    """
    with transaction.atomic():
        locked = lock_accounts([account.pk])[account.pk]
        freezes = freezes_of([locked.pk])
        check_shown(shown_version, shown_cause(locked, freezes, CAUSE), account=locked)
        before = next((row.scope for row in freezes if row.is_open and row.cause == CAUSE), None)
        last = _last_association_of(locked)
        now = _moment_after(last, latest_moment(freezes, now))
        freeze = open_freeze(
            account=locked, cause=CAUSE, scope=scope, reason=reason, by=by, now=now
        )
        if freeze.reason != reason:
            raise Refused(AssociationRefusal.FROZEN_FOR_OTHER_REASON)
        if before != freeze.scope:
            publish_many(events=[build_frozen_event(freeze, locked, _in_force(last))], now=now)
            tell_frozen(freeze, locked, _in_force(last), now=now)
        return freeze


@whole_transaction
def unfreeze_for_provider(
    *,
    account: CustomerAccount,
    reason: str,
    by: User,
    now: datetime,
    shown_version: ShownVersion | None = None,
) -> Sequence[Freeze]:
    """Lift the provider's freeze and return it in a list; none is no error and sends no e-mail.

    Freezes with another cause stay. The owner and, if the account is associated, the partner get
    the reason by e-mail. Locks the account. Raises ChangedMeanwhile if the freeze is not in the
    version of `shown_freezes()`.
    """
    with transaction.atomic():
        locked = lock_accounts([account.pk])[account.pk]
        freezes = freezes_of([locked.pk])
        check_shown(shown_version, shown_freezes(freezes, [CAUSE]), account=locked)
        last = _last_association_of(locked)
        now = _moment_after(last, latest_moment(freezes, now))
        closed, still_open = close_freezes(
            freezes=freezes, causes=[CAUSE], reason=reason, by=by, now=now
        )
        events = build_unfrozen_events(closed, still_open, [(locked, _in_force(last))])
        publish_many(events=events, now=now)
        for freeze in closed:
            tell_unfrozen(freeze, locked, _in_force(last), now=now)
        return closed


def _last_association_of(locked: CustomerAccount) -> Association | None:
    """Return the account's last association; the lock keeps it from ending meanwhile."""
    own = Association.objects.filter(account=locked).annotate(**LAST_MOMENTS)
    return own.select_related("partner", "invitation").order_by("-associated_at", "-pk").first()


def _in_force(last: Association | None) -> Association | None:
    return last if last is not None and not last.has_ended else None


def _moment_after(last: Association | None, now: datetime) -> datetime:
    """Return `now` or, if later, what was last done: from the moment follows whom it tells."""
    return now if last is None else max(now, last_moment_of(last))
