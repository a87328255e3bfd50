"""What a partner, or the provider for it, does to an associated account: budget and freeze.

Here is decided who may lift which freeze; `accounts` only writes it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from accounts.enums import FreezeCause, FreezeScope
from accounts.models import CustomerAccount, Freeze, User
from accounts.services.audit import record_event
from accounts.services.freezes import freeze_account, unfreeze_account
from accounts.services.outbox import OutgoingMessage, enqueue_messages
from association.models import Association, Budget, BudgetPeriod, OnExhaustion
from partners.models import PartnerMember

MOST_FREEZES_A_DAY = 10
ALL_BUT_ADMINISTRATOR = frozenset(FreezeCause) - {FreezeCause.ADMINISTRATOR}


class CustomerRefused(Exception):
    """The act is not possible on this association; nothing was written.

    `code` is one of `ended`, `not_reseller`, `no_budget`, `not_a_member` and `frozen_too_often`.
    """

    def __init__(self, code: str, association: Association) -> None:
        super().__init__(code)
        self.code = code
        self.association = association


@dataclass(frozen=True, slots=True)
class BudgetTerms:
    """What a budget says."""

    amount: Decimal
    period: BudgetPeriod
    on_exhaustion: OnExhaustion


def _lock_reseller(association: Association) -> Association:
    """Lock the account and return the association as it is now; only resellers get further."""
    CustomerAccount.objects.select_for_update().get(pk=association.account_id)
    locked = Association.objects.select_related("account__owner").get(pk=association.pk)
    if locked.ended_at is not None:
        raise CustomerRefused("ended", locked)
    if not locked.is_reseller:
        raise CustomerRefused("not_reseller", locked)
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
            # The clock was read before the lock; another budget may have been set meanwhile.
            now = max(now, replaced.set_at)
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


def set_budget_and_unfreeze(
    *,
    association: Association,
    terms: BudgetTerms,
    unfreeze: bool,
    reason: str = "",
    shown_at: datetime | None = None,
    by: User,
    now: datetime,
) -> Budget:
    """Set the budget and, when wanted, unfreeze: in one transaction, so both or neither.

    Sent twice from a page that was shown at `shown_at`, it sets one budget. Raises CustomerRefused.
    """
    with transaction.atomic():
        locked = _lock_reseller(association)
        budget = _set_since(locked, terms, by, shown_at)
        if budget is None:
            budget = set_budget(
                association=locked,
                amount=terms.amount,
                period=terms.period,
                on_exhaustion=terms.on_exhaustion,
                by=by,
                now=now,
            )
        if unfreeze:
            unfreeze_customer(association=locked, reason=reason, by=by, now=now)
        return budget


def set_budgets(
    *,
    associations: Iterable[Association],
    terms: BudgetTerms,
    unfreeze: bool,
    reason: str = "",
    shown_at: datetime | None = None,
    by: User,
    now: datetime,
) -> list[Budget]:
    """Do `set_budget_and_unfreeze()` for all of them or, when one is refused, for none.

    Accounts are locked in the order of their keys, so that two such acts wait for each other.
    Raises CustomerRefused, which names the association.
    """
    with transaction.atomic():
        return [
            set_budget_and_unfreeze(
                association=association,
                terms=terms,
                unfreeze=unfreeze,
                reason=reason,
                shown_at=shown_at,
                by=by,
                now=now,
            )
            for association in sorted(associations, key=lambda row: row.account_id)
        ]


def _set_since(
    association: Association, terms: BudgetTerms, by: User, shown_at: datetime | None
) -> Budget | None:
    """Return the budget of these terms that the same person has set since then: a double click."""
    if shown_at is None:
        return None
    since = association.budgets.current().filter(
        amount=terms.amount,
        period=terms.period,
        on_exhaustion=terms.on_exhaustion,
        set_by=by,
        set_at__gte=shown_at,
    )
    return since.first()


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

    The customer is mailed the reason, unless nothing has changed: the partner's freeze was open,
    and no narrower. Raises CustomerRefused.
    """
    with transaction.atomic():
        locked = _lock_reseller(association)
        before = locked.account.freezes.open().filter(cause=FreezeCause.PARTNER).first()
        if before is None:
            _refuse_another_freeze(locked, now)
        freeze = freeze_account(
            account=locked.account,
            cause=FreezeCause.PARTNER,
            scope=scope,
            reason=reason,
            by=by,
            now=now,
        )
        if before is None or before.scope != freeze.scope:
            _mail_customer("association.frozen", locked, now)
        return freeze


def _refuse_another_freeze(association: Association, now: datetime) -> None:
    """Raise CustomerRefused when the partner has frozen the customer too often within a day.

    Each freeze, and each unfreeze after it, mails the customer.
    """
    lately = association.account.freezes.filter(
        cause=FreezeCause.PARTNER, frozen_at__gt=now - timedelta(days=1)
    )
    if lately.count() >= MOST_FREEZES_A_DAY:
        raise CustomerRefused("frozen_too_often", association)


def unfreeze_customer(
    *, association: Association, reason: str, by: User | None, now: datetime
) -> list[Freeze]:
    """Lift every open freeze except an administrator's, and mail the customer who is free then.

    The freeze of the association is not lifted without a budget: CustomerRefused("no_budget").
    """
    with transaction.atomic():
        locked = _lock_reseller(association)
        if not locked.budgets.current().exists():
            raise CustomerRefused("no_budget", locked)
        closed = unfreeze_account(
            account=locked.account, causes=ALL_BUT_ADMINISTRATOR, reason=reason, by=by, now=now
        )
        if closed and not locked.account.freezes.open().exists():
            _mail_customer("association.unfrozen", locked, now, reason=reason)
        return closed


def still_frozen(associations: Iterable[Association]) -> int:
    """Return how many of the customers are frozen now; one statement."""
    accounts = {association.account_id for association in associations}
    frozen = Freeze.objects.open().filter(account__in=accounts)
    return frozen.order_by().values("account").distinct().count()


def assign_manager(
    *, association: Association, manager: PartnerMember | None, by: User, now: datetime
) -> Association:
    """Give the customer to a member of the partner, or to nobody in particular.

    Giving it to whoever has it changes nothing. Raises CustomerRefused.
    """
    with transaction.atomic():
        # Whoever removes a member locks it first, and then the customers it leaves.
        members = PartnerMember.objects.select_for_update().filter(partner=association.partner_id)
        if manager is not None and members.filter(pk=manager.pk).first() is None:
            raise CustomerRefused("not_a_member", association)
        locked = Association.objects.select_for_update().get(pk=association.pk)
        if locked.ended_at is not None:
            raise CustomerRefused("ended", locked)
        before, after = locked.manager_id, manager.pk if manager else None
        if before != after:
            locked.manager = manager
            locked.save(update_fields=["manager"])
            record_event(
                action="association.manager_changed",
                about=locked,
                by=by,
                now=now,
                before={"manager": before},
                after={"manager": after},
            )
        return locked


def _mail_customer(kind: str, association: Association, now: datetime, **data: str) -> None:
    owner = association.account.owner
    outgoing = OutgoingMessage(kind, owner.email, association, owner.language, data=data)
    enqueue_messages(messages=[outgoing], now=now)
