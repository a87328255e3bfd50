"""Permissions of an account: what it may do now, what its partner may do for it, what coupons pay.

The question that a billing or resource system asks at each purchase. The actions are decided by
`decide_actions()`, which the pages show too. Measured in `benchmarks/provider.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from accounts.enums import StopReason
from accounts.models import Coupon, CustomerAccount, Freeze
from accounts.services.capabilities import AccountAction, Capability, decide_actions
from association.enums import CouponStop, PartnerStop
from association.models import Association, Authorization, Budget
from association.services.spending import spent_of
from web.fixed_queries import KEY, fixed_query

# What the Letter of Authorization lets a partner do; all else is the customer's own.
DONE_FOR_CUSTOMERS = frozenset(
    {AccountAction.BUY, AccountAction.RENEW, AccountAction.CHANGE, AccountAction.RUN_RESOURCES}
)


@dataclass(frozen=True, slots=True)
class Permission:
    """One action: why the account may not do it, and why its partner may not do it for it."""

    action: AccountAction
    reasons: tuple[StopReason, ...]
    reasons_for_partner: tuple[StopReason | PartnerStop, ...]


@dataclass(frozen=True, slots=True)
class CouponUse:
    """A coupon, and the moment when the charge that it may pay was incurred."""

    source: str
    external_id: str
    incurred_at: datetime


@dataclass(frozen=True, slots=True)
class Permissions:
    """What is true of an account at one moment."""

    association: Association | None
    freezes: Sequence[Freeze]
    actions: Sequence[Permission]
    budget: Budget | None
    used: Decimal | None
    # None when no coupon was asked about; empty if it may pay.
    coupon_reasons: tuple[CouponStop, ...] | None


def permissions_of(
    *, account: CustomerAccount, coupon: CouponUse | None = None, now: datetime
) -> Permissions:
    """Read and decide what the account may do; nothing is locked.

    At most five statements, with a coupon six; two for an account without a partner.
    """
    associations = _associations.all(account.pk)
    association = next((row for row in associations if row.ended_at is None), None)
    freezes = _open_freezes.all(account.pk)
    actions = decide_actions(
        account=account, freezes=freezes, is_owner_active=account.owner.is_active
    )
    stops = _stops_for_partner(association)
    budget = None if association is None else _budgets.first(association.pk)
    if budget is not None and association is not None:
        budget.association = association
    coupon_stops = None if coupon is None else _coupon_stops(account, coupon, associations, now)
    return Permissions(
        association=association,
        freezes=freezes,
        actions=[
            Permission(row.action, row.reasons, _reasons_for_partner(row, stops)) for row in actions
        ],
        budget=budget,
        used=None if budget is None else spent_of(budget, now),
        coupon_reasons=coupon_stops,
    )


def _stops_for_partner(association: Association | None) -> tuple[PartnerStop, ...]:
    """Return why no partner may do anything for the account."""
    if association is None:
        return (PartnerStop.NO_PARTNER,)
    stops = [] if _granted.all(association.pk) else [PartnerStop.NOT_AUTHORIZED]
    if association.partner.is_frozen:
        stops.append(PartnerStop.PARTNER_FROZEN)
    return tuple(stops)


def _reasons_for_partner(
    found: Capability, stops: tuple[PartnerStop, ...]
) -> tuple[StopReason | PartnerStop, ...]:
    if found.action not in DONE_FOR_CUSTOMERS:
        return (PartnerStop.CUSTOMER_ONLY,)
    return (*stops, *found.reasons)


def _coupon_stops(
    account: CustomerAccount,
    use: CouponUse,
    associations: Sequence[Association],
    now: datetime,
) -> tuple[CouponStop, ...]:
    """Return why the coupon may not pay; a charge is the partner's bill while it is the reseller's.

    Strictly before the association coupons pay, and again from its end on.
    """
    coupon = Coupon.objects.filter(
        account=account, source=use.source, external_id=use.external_id
    ).first()
    if coupon is None:
        return (CouponStop.UNKNOWN,)
    stops = []
    if coupon.balance <= 0:
        stops.append(CouponStop.EMPTY)
    if coupon.expires_at is not None and coupon.expires_at <= now:
        stops.append(CouponStop.EXPIRED)
    if any(_was_billed_by_partner(row, use.incurred_at) for row in associations):
        stops.append(CouponStop.INCURRED_AS_CUSTOMER)
    return tuple(stops)


def _was_billed_by_partner(association: Association, moment: datetime) -> bool:
    begun, ended = association.coupons_pay_before, association.ended_at
    return begun is not None and begun <= moment and (ended is None or moment < ended)


@fixed_query(KEY)
def _associations(account: int) -> QuerySet[Association]:
    rows = Association.objects.filter(account=account).select_related("partner")
    # The facts when it was decided are large, and nothing here reads them.
    return rows.defer("eligibility")


@fixed_query(KEY)
def _open_freezes(account: int) -> QuerySet[Freeze]:
    return Freeze.objects.open().filter(account=account).order_by("frozen_at", "pk")


@fixed_query(KEY)
def _granted(association: int) -> QuerySet[Any, tuple[Any, ...]]:
    return Authorization.objects.granted().filter(association=association).values_list("pk")


@fixed_query(KEY)
def _budgets(association: int) -> QuerySet[Budget]:
    return Budget.objects.current().filter(association=association)
