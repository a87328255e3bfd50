"""A partner's actions on its customers: budget, freeze, unfreeze, manager.

Which freezes a partner may lift is decided here; `accounts` only writes them. Each action locks its
rows once, and then calls functions that write them.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
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
from association.services.events import customer_event, frozen_event, unfrozen_events
from association.services.moments import LAST_MOMENTS, last_moment_of, moment_after
from association.services.recipients import (
    email_owners,
    email_partner,
    tell_frozen,
)
from audit.services import moment_after_events, record_audit_event, record_audit_events
from outbox.services.events import publish_many
from partners.enums import BudgetPeriod, EventKind, OnExhaustion
from partners.models import Partner, PartnerMember
from web.refused import Refused
from web.shown_versions import ShownVersion, check_shown
from web.transactions import whole_transaction

MOST_FREEZES_A_DAY = 10
ALL_BUT_ADMINISTRATOR = frozenset(FreezeCause) - {FreezeCause.ADMINISTRATOR}


@dataclass(frozen=True, slots=True)
class BudgetTerms:
    """What a budget says, in the currency of the product."""

    amount: Decimal
    period: BudgetPeriod
    on_exhaustion: OnExhaustion


@dataclass(frozen=True, slots=True)
class BudgetsSet:
    """The new budgets and, if unfreezing was asked for, what it did.

    `unfrozen` accounts are free now; `still_frozen` ones have a freeze of the provider.
    """

    budgets: list[Budget]
    unfrozen: int
    still_frozen: int


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
) -> Budget:
    """Do what `set_budgets()` says for one customer, and return its budget."""
    done = set_budgets(
        associations=[association],
        terms=BudgetTerms(amount, period, on_exhaustion),
        unfreeze=unfreeze,
        reason=reason,
        by=by,
        now=now,
        shown_version=shown_version,
    )
    return done.budgets[0]


@whole_transaction
def set_budgets(
    *,
    associations: Collection[Association],
    terms: BudgetTerms,
    unfreeze: bool,
    reason: str = "",
    by: User | None,
    now: datetime,
    shown_version: ShownVersion | None = None,
) -> BudgetsSet:
    """Set the same budget for all these customers or, when one is refused, for none.

    It replaces the current ones. Locks the accounts in one statement, in the order of their keys.
    Raises Refused: ENDED, NOT_RESELLER; the context names the association. Raises ChangedMeanwhile
    if the version is not that of `shown_terms()`.
    """
    with transaction.atomic():
        customers = _lock_resellers(associations)
        now = moment_after(customers, now)
        freezes = freezes_of([row.account_id for row in customers]) if unfreeze else []
        current = {customer.pk: customer.current_budget for customer in customers}
        check_shown(shown_version, shown_terms(current, freezes))
        budgets = _write_budgets(customers, terms, by, now)
        refresh_status([customer.account_id for customer in customers])
        closed, still_open = _unfreeze(customers, freezes, reason, by, now)
    frozen = {freeze.account_id for freeze in still_open}
    unfrozen = {freeze.account_id for freeze in closed} - frozen
    return BudgetsSet(budgets, unfrozen=len(unfrozen), still_frozen=len(frozen))


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
        [locked] = _lock_resellers([association])
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
            publish_many(events=[frozen_event(freeze, locked.account, locked)], now=now)
            tell_frozen(freeze, locked.account, locked if acts_for_provider(by) else None, now=now)
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
        [locked] = _lock_resellers([association])
        now = moment_after([locked], now)
        if locked.current_budget is None:
            raise Refused(AssociationRefusal.NO_BUDGET, association=locked)
        freezes = freezes_of([locked.account_id])
        check_shown(shown_version, shown_freezes(freezes, ALL_BUT_ADMINISTRATOR))
        closed, _ = _unfreeze([locked], freezes, reason, by, now)
        return closed


def shown_terms(budgets: Mapping[int, Budget | None], freezes: Iterable[Freeze]) -> dict[str, Any]:
    """Return what a page shows that sets budgets: the current ones, and what it may unfreeze.

    `budgets` are by the key of the association.
    """
    current = {f"budget-{key}": budget and budget.pk for key, budget in budgets.items()}
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


def _lock_resellers(associations: Collection[Association]) -> list[Association]:
    customers = lock_customers(associations)
    for customer in customers:
        if not customer.is_reseller:
            raise Refused(AssociationRefusal.NOT_RESELLER, association=customer)
    return customers


def _write_budgets(
    customers: list[Association], terms: BudgetTerms, by: User | None, now: datetime
) -> list[Budget]:
    current = {customer.pk: customer.current_budget for customer in customers}
    replaced = [budget for budget in current.values() if budget is not None]
    if replaced:
        Budget.objects.filter(pk__in=[budget.pk for budget in replaced]).update(replaced_at=now)
    budgets = Budget.objects.bulk_create(
        Budget(
            association=customer,
            amount=terms.amount,
            period=terms.period,
            on_exhaustion=terms.on_exhaustion,
            set_at=now,
            set_by=by,
            set_by_provider=acts_for_provider(by),
        )
        for customer in customers
    )
    record_audit_events(
        action="budget.set",
        changes=[
            (budget, _audited(current[budget.association_id]), _audited(budget))
            for budget in budgets
        ],
        by=by,
        now=now,
    )
    kind = EventKind.BUDGET_SET
    publish_many(events=[customer_event(kind, row, row.association) for row in budgets], now=now)
    return budgets


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
    customers: list[Association],
    freezes: list[Freeze],
    reason: str,
    by: User | None,
    now: datetime,
) -> tuple[list[Freeze], list[Freeze]]:
    """Return which of the customers' freezes were lifted, and which are still open."""
    closed, still_open = close_freezes(
        freezes=freezes, causes=ALL_BUT_ADMINISTRATOR, reason=reason, by=by, now=now
    )
    accounts = [(row.account, row) for row in customers]
    publish_many(events=unfrozen_events(closed, still_open, accounts), now=now)
    lifted = {freeze.account_id: freeze for freeze in closed}
    frozen = {freeze.account_id for freeze in still_open}
    free = [row for row in customers if row.account_id in lifted.keys() - frozen]
    unfrozen = [(lifted[row.account_id], row.account) for row in free]
    email_owners("association.unfrozen", unfrozen, now=now)
    for customer in free if acts_for_provider(by) else ():
        freeze = lifted[customer.account_id]
        email_partner("association.customer_unfrozen", freeze, customer, now=now)
    return closed, still_open
