"""What is known about an account, read in two statements for the rules and for the pages."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Cast, Coalesce

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
from partners.models import Partner, PartnerMember


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRecord:
    """The facts for the rules, and what else the journey's pages say about the account."""

    facts: Facts
    is_new: bool
    partner_id: int | None
    partner_name: str
    coupon_count: int
    coupon_total: Decimal
    running_resources: int


def load_facts(*, account: CustomerAccount, partner: Partner, now: datetime) -> Facts:
    """Return the facts that the rules read about joining this partner."""
    return load_record(account=account, partner=partner, now=now).facts


def load_record(*, account: CustomerAccount, partner: Partner, now: datetime) -> AccountRecord:
    """Read everything fresh from the database; two statements, whatever the account holds.

    Rows that no rule can refuse for (paid bills, ended contracts) are left in the database; the
    rules themselves decide about the others.
    """
    row = _account_with_totals(account, now)
    lists: dict[str, list[Any]] = defaultdict(list)
    for kind, *values in _fact_rows(account, now):
        lists[kind].append(values)
    return AccountRecord(
        facts=Facts(
            registration_site=row.registration_site,
            registered_at=row.registered_at,
            is_internal=row.is_internal,
            owner_is_partner_member=row.owner_is_partner_member,
            associated_with_other_partner=row.partner_id not in (None, partner.pk),
            largest_cash_expenditure=row.largest_cash_expenditure,
            contracts=tuple(
                ContractFact(text, *moments) for text, _, _, _, *moments in lists["contract"]
            ),
            bills=tuple(BillFact(amount, paid) for _, _, amount, paid, *_ in lists["bill"]),
            reserved_instances=tuple(
                ReservedInstanceFact(expires_at, cancelled_at)
                for _, _, _, _, expires_at, cancelled_at, *_ in lists["reserved_instance"]
            ),
            memberships=tuple(
                MembershipFact(accounting, member_type, ended_at)
                for accounting, member_type, _, _, ended_at, *_ in lists["membership"]
            ),
            members=tuple(
                MemberFact(accounting, ended_at)
                for accounting, _, _, _, ended_at, *_ in lists["member"]
            ),
        ),
        is_new=row.was_registered_here and not row.was_ever_associated,
        partner_id=row.partner_id,
        partner_name=row.partner_name,
        coupon_count=row.coupon_count,
        coupon_total=row.coupon_total,
        running_resources=row.running_resources,
    )


def _account_with_totals(account: CustomerAccount, now: datetime) -> Any:
    """The account's row with one value for each thing that rules and pages want a total of."""
    mine = {"account": OuterRef("pk")}
    in_force = Association.objects.in_force().filter(**mine)
    coupons = Coupon.objects.filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=now), balance__gt=0, **mine
    )
    running = Resource.objects.filter(status=ResourceStatus.RUNNING, **mine)
    return CustomerAccount.objects.annotate(
        owner_is_partner_member=Exists(PartnerMember.objects.filter(user=OuterRef("owner"))),
        partner_id=Subquery(in_force.values("partner_id")),
        partner_name=Coalesce(Subquery(in_force.values("partner__name")), Value("")),
        was_registered_here=Exists(Attempt.objects.filter(registered_at__isnull=False, **mine)),
        was_ever_associated=Exists(Association.objects.filter(**mine)),
        largest_cash_expenditure=_total(CashExpenditure.objects.filter(**mine), Max("amount")),
        coupon_count=Coalesce(_total(coupons, Count("pk")), 0),
        coupon_total=Coalesce(_total(coupons, Sum("balance")), Value(Decimal("0.00"))),
        running_resources=Coalesce(_total(running, Count("pk")), 0),
    ).get(pk=account.pk)


def _total(rows: QuerySet[Any], aggregate: models.Aggregate) -> Subquery:
    return Subquery(rows.order_by().values("account").annotate(total=aggregate).values("total"))


_TEXT = models.CharField()
_MONEY = models.DecimalField(max_digits=14, decimal_places=2)
_MOMENT = models.DateTimeField()
_COLUMNS: dict[str, "models.Field[Any, Any]"] = {
    "text_1": _TEXT,
    "text_2": _TEXT,
    "money_1": _MONEY,
    "money_2": _MONEY,
    "moment_1": _MOMENT,
    "moment_2": _MOMENT,
    "moment_3": _MOMENT,
    "moment_4": _MOMENT,
}


def _fact_rows(account: CustomerAccount, now: datetime) -> QuerySet[Any]:
    """Every fact that comes in numbers, as rows of one shape, in one statement."""
    not_ended = Q(ended_at__isnull=True) | Q(ended_at__gt=now)
    return _rows(
        Contract.objects.filter(
            Q(effective_to__isnull=True) | Q(effective_to__gt=now), account=account
        ),
        "contract",
        text_1="contract_type",
        moment_1="signed_at",
        moment_2="effective_from",
        moment_3="effective_to",
        moment_4="terminated_at",
    ).union(
        _rows(
            Bill.objects.filter(account=account, paid_amount__lt=F("amount")),
            "bill",
            money_1="amount",
            money_2="paid_amount",
        ),
        _rows(
            ReservedInstance.objects.filter(account=account, expires_at__gt=now),
            "reserved_instance",
            moment_1="expires_at",
            moment_2="cancelled_at",
        ),
        _rows(
            EnterpriseRelation.objects.filter(not_ended, member=account),
            "membership",
            text_1="accounting",
            text_2="member_type",
            moment_1="ended_at",
        ),
        _rows(
            EnterpriseRelation.objects.filter(not_ended, master=account),
            "member",
            text_1="accounting",
            moment_1="ended_at",
        ),
        all=True,
    )


def _rows(facts: QuerySet[Any], kind: str, **columns: str) -> QuerySet[Any]:
    """The facts with the named columns filled and the others empty, all of the same types."""
    shaped = {
        f"column_{name}": F(columns[name]) if name in columns else Cast(Value(None), field)
        for name, field in _COLUMNS.items()
    }
    rows: QuerySet[Any] = facts.order_by().annotate(kind=Value(kind), **shaped)
    return rows.values_list("kind", *shaped)
