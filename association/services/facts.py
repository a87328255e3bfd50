"""What is stored about an account, read fresh for the rules and for the pages."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import F, Max, Q

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
from association.models import Association
from association.services.eligibility import (
    BillFact,
    ContractFact,
    Facts,
    MemberFact,
    MembershipFact,
    ReservedInstanceFact,
)
from partners.models import Partner, PartnerMember


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """The facts for the rules, and what the invitation asks about the account.

    `partner` is the one that the account is associated with now.
    """

    facts: Facts
    partner: Partner | None
    was_ever_associated: bool


@dataclass(frozen=True, slots=True)
class Holdings:
    """What an account has that joining a reseller changes."""

    coupon_count: int
    coupon_total: Decimal
    running_resources: int


def load_facts(*, account: CustomerAccount, partner: Partner, now: datetime) -> Facts:
    """Return the facts that the rules read about joining this partner."""
    return load_record(account=account, partner=partner, now=now).facts


def load_record(*, account: CustomerAccount, partner: Partner, now: datetime) -> AccountRecord:
    """Read the account's facts from the database; only `account` itself is taken as it is given.

    One small query per table: building one query for all of them took three times as long as
    running these. Rows that no rule can refuse for (paid bills, ended contracts) are left out.
    """
    associations = list(Association.objects.filter(account=account))
    in_force = [association for association in associations if association.ended_at is None]
    own_partner = in_force[0].partner if in_force else None
    cash = CashExpenditure.objects.filter(account=account).aggregate(largest=Max("amount"))
    memberships, members = _enterprise_relations(account, now)
    facts = Facts(
        registration_site=account.registration_site,
        registered_at=account.registered_at,
        is_internal=account.is_internal,
        owner_is_partner_member=PartnerMember.objects.filter(user=account.owner_id).exists(),
        associated_with_other_partner=own_partner not in (None, partner),
        largest_cash_expenditure=cash["largest"],
        contracts=_contracts(account, now),
        bills=_unpaid_bills(account),
        reserved_instances=_reserved_instances(account, now),
        memberships=memberships,
        members=members,
    )
    return AccountRecord(facts, own_partner, was_ever_associated=bool(associations))


def load_holdings(*, account: CustomerAccount, now: datetime) -> Holdings:
    """Return the coupons that can still pay, and the resources that run."""
    coupons = Coupon.objects.filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=now), account=account, balance__gt=0
    )
    balances = [coupon.balance for coupon in coupons]
    running = Resource.objects.filter(account=account, status=ResourceStatus.RUNNING)
    return Holdings(len(balances), sum(balances, Decimal("0.00")), running.count())


def _contracts(account: CustomerAccount, now: datetime) -> tuple[ContractFact, ...]:
    rows = Contract.objects.filter(
        Q(effective_to__isnull=True) | Q(effective_to__gt=now), account=account
    )
    return tuple(
        ContractFact(
            row.contract_type,
            row.signed_at,
            row.effective_from,
            row.effective_to,
            row.terminated_at,
        )
        for row in rows
    )


def _unpaid_bills(account: CustomerAccount) -> tuple[BillFact, ...]:
    rows = Bill.objects.filter(account=account, paid_amount__lt=F("amount"))
    return tuple(BillFact(row.amount, row.paid_amount) for row in rows)


def _reserved_instances(
    account: CustomerAccount, now: datetime
) -> tuple[ReservedInstanceFact, ...]:
    rows = ReservedInstance.objects.filter(account=account, expires_at__gt=now)
    return tuple(ReservedInstanceFact(row.expires_at, row.cancelled_at) for row in rows)


def _enterprise_relations(
    account: CustomerAccount, now: datetime
) -> tuple[tuple[MembershipFact, ...], tuple[MemberFact, ...]]:
    """Return the relations in which the account is the member, and those in which the master."""
    rows = list(
        EnterpriseRelation.objects.filter(
            Q(ended_at__isnull=True) | Q(ended_at__gt=now), Q(member=account) | Q(master=account)
        )
    )
    memberships = tuple(
        MembershipFact(row.accounting, row.member_type, row.ended_at)
        for row in rows
        if row.member_id == account.pk
    )
    members = tuple(
        MemberFact(row.accounting, row.ended_at) for row in rows if row.master_id == account.pk
    )
    return memberships, members
