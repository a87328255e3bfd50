"""What is stored about an account, read fresh for the rules and for the pages.

One small query per table. Rows that no rule can refuse for (paid bills, ended contracts) are left
out.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from accounts.enums import ResourceStatus
from accounts.models import (
    Bill,
    CashExpenditure,
    Contract,
    Coupon,
    CustomerAccount,
    EnterpriseRelation,
    ReservedInstance,
    Resource,
)
from association.models import Association, Attempt
from association.services.eligibility import (
    BillFact,
    ContractFact,
    Facts,
    MemberFact,
    MembershipFact,
    ReservedInstanceFact,
)
from partners.models import Partner
from partners.services.members import is_member
from web.fixed_queries import KEY, MOMENT, fixed_query

Rows = QuerySet[Any, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """The facts for the rules, the partner of the account now, and whether it ever had one."""

    facts: Facts
    partner: Partner | None
    was_ever_associated: bool


def load_record(*, account: CustomerAccount, partner: Partner, now: datetime) -> AccountRecord:
    """Read the account's facts from the database; `account` itself is not read again."""
    key = account.pk
    associations = _associations.all(key)
    own_partner = next((row.partner for row in associations if row.ended_at is None), None)
    [largest_cash] = _largest_cash.first(key) or [None]
    relations = _relations.all(key, now)
    facts = Facts(
        registration_site=account.registration_site,
        registered_at=account.registered_at,
        is_internal=account.is_internal,
        owner_is_partner_member=is_member(account.owner_id),
        associated_with_other_partner=own_partner not in (None, partner),
        largest_cash_expenditure=largest_cash,
        contracts=tuple(ContractFact(*row) for row in _contracts.all(key, now)),
        bills=tuple(BillFact(*row) for row in _unpaid_bills.all(key)),
        reserved_instances=tuple(
            ReservedInstanceFact(*row) for row in _reserved_instances.all(key, now)
        ),
        memberships=tuple(
            MembershipFact(accounting, ended_at, member_type)
            for member, accounting, member_type, ended_at in relations
            if member == key
        ),
        members=tuple(
            MemberFact(accounting, ended_at)
            for member, accounting, _, ended_at in relations
            if member != key
        ),
    )
    return AccountRecord(facts, own_partner, was_ever_associated=bool(associations))


def is_registered_by_invitation(account: CustomerAccount) -> bool:
    """Whether the account was registered in an attempt."""
    return bool(_registrations.all(account.pk))


def load_holdings(*, account: CustomerAccount, now: datetime) -> dict[str, int | Decimal]:
    """Return what an association and a freeze change: coupons that can still pay, and resources.

    `resources` and `running_resources` are of `count_resources()`.
    """
    balances = [balance for (balance,) in _coupons.all(account.pk, now)]
    resources, running = count_resources(account_id=account.pk)
    return {
        "coupon_count": len(balances),
        "coupon_total": sum(balances, Decimal("0.00")),
        "resources": resources,
        "running_resources": running,
    }


def count_resources(*, account_id: int) -> tuple[int, int]:
    """Return how many resources the account has, and how many of them run; one statement."""
    existing, running = _resources.first(account_id) or (0, 0)
    return existing, running


@fixed_query(KEY)
def _associations(account: int) -> QuerySet[Association]:
    return Association.objects.select_related("partner").filter(account=account)


@fixed_query(KEY)
def _registrations(account: int) -> Rows:
    registered = Attempt.objects.filter(account=account, registered_at__isnull=False)
    return registered.values_list("pk")[:1]


@fixed_query(KEY)
def _largest_cash(account: int) -> Rows:
    expenditures = CashExpenditure.objects.filter(account=account)
    return expenditures.order_by("-amount").values_list("amount")[:1]


@fixed_query(KEY, MOMENT)
def _contracts(account: int, now: datetime) -> Rows:
    return Contract.objects.filter(
        Q(effective_to__isnull=True) | Q(effective_to__gt=now), account=account
    ).values_list("contract_type", "signed_at", "effective_from", "effective_to", "terminated_at")


@fixed_query(KEY)
def _unpaid_bills(account: int) -> Rows:
    unpaid = Bill.objects.filter(account=account, paid_amount__lt=F("amount"))
    return unpaid.values_list("amount", "paid_amount")


@fixed_query(KEY, MOMENT)
def _reserved_instances(account: int, now: datetime) -> Rows:
    valid = ReservedInstance.objects.filter(account=account, expires_at__gt=now)
    return valid.values_list("expires_at", "cancelled_at")


@fixed_query(KEY, MOMENT)
def _relations(account: int, now: datetime) -> Rows:
    return EnterpriseRelation.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=now), Q(member=account) | Q(master=account)
    ).values_list("member", "accounting", "member_type", "ended_at")


@fixed_query(KEY, MOMENT)
def _coupons(account: int, now: datetime) -> Rows:
    return Coupon.objects.filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=now), account=account, balance__gt=0
    ).values_list("balance")


@fixed_query(KEY)
def _resources(account: int) -> Rows:
    existing = Resource.objects.filter(account=account).existing()
    counted = existing.values("account").annotate(
        existing=Count("pk"), running=Count("pk", filter=Q(status=ResourceStatus.RUNNING))
    )
    return counted.values_list("existing", "running")
