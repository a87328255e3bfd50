"""What a partner, or the provider for it, does to an associated account: budget and freeze.

Here is decided who may lift which freeze; `accounts` only writes it.
"""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import CustomerAccount, Freeze, FreezeCause, FreezeScope, User
from accounts.services.audit import record_event
from accounts.services.freezes import freeze_account, unfreeze_account
from accounts.services.outbox import OutgoingMessage, enqueue_messages
from association.models import Association, Budget, BudgetPeriod, OnExhaustion

ALL_BUT_ADMINISTRATOR = frozenset(FreezeCause) - {FreezeCause.ADMINISTRATOR}


class CustomerRefused(Exception):
    """The act is not possible on this association; nothing was written.

    `code` is one of `ended`, `not_reseller` and `no_budget`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _lock_reseller(association: Association) -> Association:
    """Lock the account and return the association as it is now; only resellers get further."""
    CustomerAccount.objects.select_for_update().get(pk=association.account_id)
    locked = Association.objects.select_related("account__owner").get(pk=association.pk)
    if locked.ended_at is not None:
        raise CustomerRefused("ended")
    if not locked.is_reseller:
        raise CustomerRefused("not_reseller")
    return locked


def set_budget(
    *,
    association: Association,
    amount: Decimal,
    period: BudgetPeriod,
    on_exhaustion: OnExhaustion,
    by: User | None,
    now: datetime,
) -> Budget:
    """Set the budget in the currency of the product; it replaces the current one.

    It does not unfreeze. Raises CustomerRefused.
    """
    with transaction.atomic():
        locked = _lock_reseller(association)
        replaced = locked.budgets.current().first()
        if replaced is not None:
            replaced.replaced_at = now
            replaced.save(update_fields=["replaced_at"])
        budget = locked.budgets.create(
            amount=amount, period=period, on_exhaustion=on_exhaustion, set_at=now, set_by=by
        )
        record_event(
            action="budget.set",
            about=budget,
            by=by,
            now=now,
            before=_plain(replaced),
            after=_plain(budget),
        )
        return budget


def _plain(budget: Budget | None) -> dict[str, str] | None:
    if budget is None:
        return None
    return {
        "amount": f"{budget.amount:.2f}",
        "period": budget.period,
        "on_exhaustion": budget.on_exhaustion,
    }


def freeze_customer(
    *, association: Association, scope: FreezeScope, reason: str, by: User | None, now: datetime
) -> Freeze:
    """Freeze a reseller's customer by the partner's decision, beside any other freeze.

    Raises CustomerRefused.
    """
    with transaction.atomic():
        locked = _lock_reseller(association)
        return freeze_account(
            account=locked.account,
            cause=FreezeCause.PARTNER,
            scope=scope,
            reason=reason,
            by=by,
            now=now,
        )


def unfreeze_customer(
    *, association: Association, reason: str, by: User | None, now: datetime
) -> list[Freeze]:
    """Lift every open freeze except an administrator's, and mail the customer.

    The freeze of the association is not lifted without a budget: CustomerRefused("no_budget").
    """
    with transaction.atomic():
        locked = _lock_reseller(association)
        if not locked.budgets.current().exists():
            raise CustomerRefused("no_budget")
        closed = unfreeze_account(
            account=locked.account, causes=ALL_BUT_ADMINISTRATOR, reason=reason, by=by, now=now
        )
        if closed:
            owner = locked.account.owner
            enqueue_messages(
                messages=[
                    OutgoingMessage("association.unfrozen", owner.email, locked, owner.language)
                ],
                now=now,
            )
        return closed
