"""A partner's actions on its customers: budget, freeze, unfreeze, manager.

Which freezes a partner may lift is decided here; `accounts` only writes them. Each action locks its
rows once, and then calls functions that write them.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import FilteredRelation, Q

from accounts.enums import FreezeCause, FreezeScope
from accounts.models import Freeze, User, acts_for_provider
from accounts.services.freezes import (
    close_freezes,
    freezes_of,
    lock_accounts,
    open_freeze,
    shown_cause,
    shown_freezes,
)
from association.enums import AssociationRefusal
from association.models import Association, Budget
from association.services.customer_status import refresh_status
from association.services.events import (
    build_customer_event,
    build_frozen_event,
    build_unfrozen_events,
)
from association.services.moments import LAST_MOMENTS, last_moment_of, moment_after
from association.services.recipients import (
    email_owners,
    email_partner,
)
from audit.services import moment_after_events, record_audit_event
from outbox.services.events import publish_many
from partners.enums import BudgetPeriod, EventKind, OnExhaustion
from partners.models import Partner, PartnerMember
from web.refused import Refused
from web.shown_versions import ShownVersion, check_shown
from web.transactions import whole_transaction

MOST_FREEZES_A_DAY = 10
ALL_BUT_ADMINISTRATOR = frozenset(FreezeCause) - {FreezeCause.ADMINISTRATOR}


@whole_transaction
def set_budget(
    *,
    association: Association,
    amount: Decimal,
    period: BudgetPeriod,
    on_exhaustion: OnExhaustion,
    unfreeze: bool = False,
    reason: str = "",
    by: User | None,
    now: datetime,
    shown_version: ShownVersion | None = None,
    chosen_at: datetime | None = None,
) -> Budget:
    """Set the budget, which replaces the current one, and unfreeze if asked to.

    Only the provider's freeze stays then. `chosen_at` is when the customer was chosen among others,
    without a version. Locks the account. Raises Refused: ENDED, NOT_RESELLER, BUDGET_SET_MEANWHILE
    for a budget that was set after `chosen_at`; the context names the association. Raises
    ChangedMeanwhile if the version is not that of `shown_terms()`.
    """
    with transaction.atomic():
        locked = _lock_reseller(association)
        now = moment_after([locked], now)
        freezes = freezes_of([locked.account_id]) if unfreeze else []
        current = locked.current_budget
        check_shown(shown_version, shown_terms(locked, current, freezes))
        if chosen_at is not None and current is not None and current.set_at > chosen_at:
            raise Refused(AssociationRefusal.BUDGET_SET_MEANWHILE, association=locked)
        budget = _write_budget(locked, amount, period, on_exhaustion, by, now)
        refresh_status([locked.account_id])
        _unfreeze(locked, freezes, reason, by, now)
    return budget


@whole_transaction
def freeze_customer(
    *,
    association: Association,
    scope: FreezeScope,
    reason: str,
    by: User | None,
    now: datetime,
    shown_version: ShownVersion | None = None,
) -> Freeze:
    """Freeze a reseller's customer by the partner's decision, beside any other freeze.

    The customer gets the reason by e-mail, and so does the partner if the provider's staff acts for
    it. If the partner's freeze is open already with this scope or a wider one, nothing changes and
    no e-mail is sent. Locks the account. Raises Refused: ENDED,
    NOT_RESELLER, PARTNER_FROZEN, FROZEN_TOO_OFTEN, FROZEN_FOR_OTHER_REASON where nothing would
    change and `reason` would be lost, ChangedMeanwhile for the partner's freeze.
    """
    cause = FreezeCause.PARTNER
    with transaction.atomic():
        locked = _lock_reseller(association)
        now = moment_after([locked], now)
        lock_partner_to_act(locked, by)
        freezes = list(locked.account.freezes.all())
        check_shown(shown_version, shown_cause(locked.account, freezes, cause))
        own = [freeze for freeze in freezes if freeze.cause == cause]
        before = next((freeze.scope for freeze in own if freeze.is_open), None)
        if before is None:
            # Each freeze and each unfreeze sends an e-mail: this limits how many the customer gets.
            day_ago = now - timedelta(days=1)
            if sum(freeze.frozen_at > day_ago for freeze in own) >= MOST_FREEZES_A_DAY:
                raise Refused(AssociationRefusal.FROZEN_TOO_OFTEN, association=locked)
        freeze = open_freeze(
            account=locked.account,
            cause=cause,
            scope=scope,
            reason=reason,
            by=by,
            now=now,
        )
        if freeze.reason != reason:
            raise Refused(AssociationRefusal.FROZEN_FOR_OTHER_REASON, association=locked)
        if before != freeze.scope:
            publish_many(events=[build_frozen_event(freeze, locked.account, locked)], now=now)
            email_owners("association.frozen", [(freeze, locked.account, locked)], now=now)
            if acts_for_provider(by):
                email_partner("association.customer_frozen", freeze, locked, now=now)
        return freeze


@whole_transaction
def unfreeze_customer(
    *,
    association: Association,
    reason: str,
    by: User | None,
    now: datetime,
    shown_version: ShownVersion | None = None,
) -> list[Freeze]:
    """Lift every open freeze except an administrator's; e-mail the customer who is free then.

    Locks the account. Raises Refused: ENDED, NOT_RESELLER, NO_BUDGET, ChangedMeanwhile for a freeze
    that is not in the version of `shown_freezes()`.
    """
    with transaction.atomic():
        locked = _lock_reseller(association)
        now = moment_after([locked], now)
        if locked.current_budget is None:
            raise Refused(AssociationRefusal.NO_BUDGET, association=locked)
        freezes = freezes_of([locked.account_id])
        check_shown(shown_version, shown_freezes(freezes, ALL_BUT_ADMINISTRATOR))
        return _unfreeze(locked, freezes, reason, by, now)


def shown_terms(
    association: Association, budget: Budget | None, freezes: Iterable[Freeze]
) -> dict[str, Any]:
    """Return what a page shows that sets a budget: the current one, and what it may unfreeze."""
    current = {f"budget-{association.pk}": budget and budget.pk}
    return current | shown_freezes(freezes, ALL_BUT_ADMINISTRATOR)


@whole_transaction
def assign_manager(
    *,
    association: Association,
    manager: PartnerMember | None,
    by: User,
    now: datetime,
    shown_version: ShownVersion | None = None,
) -> Association:
    """Make a member of the partner the customer's manager, or leave it without one.

    Assigning the present manager changes nothing. Raises Refused: NOT_A_MEMBER, ENDED,
    ChangedMeanwhile for `manager`.
    """
    with transaction.atomic():
        # Members are locked before customers, as when a member is removed: no deadlock.
        members = PartnerMember.objects.select_for_update().filter(partner=association.partner_id)
        if manager is not None and members.filter(pk=manager.pk).first() is None:
            raise Refused(AssociationRefusal.NOT_A_MEMBER, association=association)
        locked = Association.objects.select_for_update().get(pk=association.pk)
        if locked.ended_at is not None:
            raise Refused(AssociationRefusal.ENDED, association=association)
        before, after = locked.manager_id, manager.pk if manager else None
        if before != after:
            check_shown(shown_version, {"manager": before}, about=locked)
            now = moment_after_events(about=locked, now=now)
            locked.manager = manager
            locked.save(update_fields=["manager"])
            record_audit_event(
                action="association.manager_changed",
                about=locked,
                by=by,
                now=now,
                before={"manager": before},
                after={"manager": after},
            )
        return locked


def lock_customers(associations: Collection[Association]) -> list[Association]:
    """Lock the accounts; return the associations as they are now, ordered by the account's key.

    Each has `current_budget`, and `last_moment` for `moment_after()`. Raises Refused: ENDED.
    """
    accounts = lock_accounts([association.account_id for association in associations])
    current = FilteredRelation("budgets", condition=Q(budgets__replaced_at__isnull=True))
    rows = Association.objects.filter(pk__in=[association.pk for association in associations])
    customers = list(
        rows.annotate(joined_budget=current, **LAST_MOMENTS)
        .select_related("joined_budget", "invitation")  # type: ignore[misc] # the annotation
        .order_by("account")
    )
    for customer in customers:
        customer.account = accounts[customer.account_id]
        # Django sets no attribute where there is no budget. From here on a row without one was not
        # loaded by this function, and reading it is an error.
        customer.current_budget = getattr(customer, "joined_budget", None)
        customer.last_moment = last_moment_of(customer)
        if customer.ended_at is not None:
            raise Refused(AssociationRefusal.ENDED, association=customer)
    return customers


def lock_own_customer(association: Association, by: User) -> Association:
    """Lock for an action of the account's owner. Raises Refused: ENDED, NOT_OWNER."""
    [locked] = lock_customers([association])
    if locked.account.owner_id != by.pk:
        raise Refused(AssociationRefusal.NOT_OWNER, association=locked)
    return locked


def check_partner_may_act(association: Association, by: User | None) -> None:
    """Raise Refused, PARTNER_FROZEN, for a member of a partner whom the provider has frozen.

    Such a partner may not invite, freeze or request an authorization; the provider's staff may act
    for it.
    """
    if association.partner.is_frozen and by is not None and not acts_for_provider(by):
        raise Refused(AssociationRefusal.PARTNER_FROZEN, association=association)


def lock_partner_to_act(association: Association, by: User | None) -> None:
    """Check it of the partner as it is now, whom the provider cannot freeze before the commit.

    The account is locked before the partner. Raises Refused: PARTNER_FROZEN.
    """
    partners = Partner.objects.select_for_update(no_key=True)
    association.partner = partners.get(pk=association.partner_id)
    check_partner_may_act(association, by)


def _lock_reseller(association: Association) -> Association:
    [locked] = lock_customers([association])
    if not locked.is_reseller:
        raise Refused(AssociationRefusal.NOT_RESELLER, association=locked)
    return locked


def _write_budget(
    customer: Association,
    amount: Decimal,
    period: BudgetPeriod,
    on_exhaustion: OnExhaustion,
    by: User | None,
    now: datetime,
) -> Budget:
    replaced = customer.current_budget
    if replaced is not None:
        Budget.objects.filter(pk=replaced.pk).update(replaced_at=now)
    budget = Budget.objects.create(
        association=customer,
        amount=amount,
        period=period,
        on_exhaustion=on_exhaustion,
        set_at=now,
        set_by=by,
        set_by_provider=acts_for_provider(by),
    )
    record_audit_event(
        action="budget.set",
        about=budget,
        by=by,
        now=now,
        before=_audited(replaced),
        after=_audited(budget),
    )
    publish_many(events=[build_customer_event(EventKind.BUDGET_SET, budget, customer)], now=now)
    return budget


def end_budget(*, association: Association, by: User, now: datetime) -> None:
    """End the budget in force, if there is one, with its association.

    The association comes from `lock_customers()`, the moment from `moment_after()`.
    """
    budget = association.current_budget
    if budget is None:
        return
    budget.replaced_at = now
    budget.save(update_fields=["replaced_at"])
    record_audit_event(
        action="budget.ended",
        about=budget,
        by=by,
        now=now,
        before={"replaced_at": None},
        after={"replaced_at": now},
    )


def _audited(budget: Budget | None) -> dict[str, Any] | None:
    if budget is None:
        return None
    return {
        "amount": f"{budget.amount:.2f}",
        "period": budget.period,
        "on_exhaustion": budget.on_exhaustion,
    }


def _unfreeze(
    customer: Association, freezes: list[Freeze], reason: str, by: User | None, now: datetime
) -> list[Freeze]:
    """Return which of the customer's freezes were lifted; e-mail the customer who is free then."""
    closed, still_open = close_freezes(
        freezes=freezes, causes=ALL_BUT_ADMINISTRATOR, reason=reason, by=by, now=now
    )
    events = build_unfrozen_events(closed, still_open, [(customer.account, customer)])
    publish_many(events=events, now=now)
    if closed and not still_open:
        freeze = closed[-1]
        email_owners("association.unfrozen", [(freeze, customer.account, customer)], now=now)
        if acts_for_provider(by):
            email_partner("association.customer_unfrozen", freeze, customer, now=now)
    return closed
