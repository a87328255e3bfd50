"""The provider's rules about who may join, as pure functions of stored facts and one moment.

`RULES` is the policy: a line for each row of the specification's table, in its order. What ends at
`now` has ended. What cannot be decided raises.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from association.enums import RefusalCode

RESELLER = frozenset({"reseller"})
BOTH = frozenset({"reseller", "referral"})

SPECIAL_CONTRACTS = frozenset({"offline_direct", "telemarketing_discount", "special_offer_direct"})
PROFESSIONAL_SERVICES = frozenset({"professional_services"})

# How long after its registration an account may join, its last moment included.
REGISTRATION_WINDOW = timedelta(days=7)

FOREVER = datetime.max.replace(tzinfo=UTC)


# --- Facts: plain values. Moments are aware; one that is None has no end.


@dataclass(frozen=True, slots=True)
class ContractFact:
    """A contract with the provider, signed before its start or after it."""

    contract_type: str
    signed_at: datetime | None
    effective_from: datetime | None
    effective_to: datetime | None
    terminated_at: datetime | None

    @property
    def ends_at(self) -> datetime | None:
        return min(filter(None, (self.effective_to, self.terminated_at)), default=None)

    def is_in_force(self, now: datetime) -> bool:
        begun = _has_come(self.signed_at, now) or _has_come(self.effective_from, now)
        return begun and not _has_come(self.ends_at, now)


@dataclass(frozen=True, slots=True)
class BillFact:
    """A bill, and how much of it has been paid."""

    amount: Decimal
    paid_amount: Decimal


@dataclass(frozen=True, slots=True)
class ReservedInstanceFact:
    """Capacity paid for in advance."""

    expires_at: datetime
    cancelled_at: datetime | None

    def is_in_force(self, now: datetime) -> bool:
        return not (_has_come(self.expires_at, now) or _has_come(self.cancelled_at, now))


@dataclass(frozen=True, slots=True)
class MemberFact:
    """A relation to an enterprise in which the account is the master."""

    accounting: str
    ended_at: datetime | None

    def is_in_force(self, now: datetime) -> bool:
        return not _has_come(self.ended_at, now)


@dataclass(frozen=True, slots=True)
class MembershipFact(MemberFact):
    """A relation in which the account is the member."""

    member_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that the rules read. There are no defaults: a forgotten fact is an error."""

    registration_site: str
    registered_at: datetime
    is_internal: bool
    owner_is_partner_member: bool
    associated_with_other_partner: bool
    largest_cash_expenditure: Decimal | None
    contracts: tuple[ContractFact, ...]
    bills: tuple[BillFact, ...]
    reserved_instances: tuple[ReservedInstanceFact, ...]
    memberships: tuple[MembershipFact, ...]
    members: tuple[MemberFact, ...]


def _has_come(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment <= now


# --- Rules: each returns the fact that it refuses for, as JSON values, or None.

Evidence = Mapping[str, str | int | None]


def _chinese_mainland_site(facts: Facts, _now: datetime) -> Evidence | None:
    # A new site is refused until this rule names it.
    if facts.registration_site == "international":
        return None
    return {"registration_site": facts.registration_site}


def _other_partner(facts: Facts, _now: datetime) -> Evidence | None:
    return {"associated_with_other_partner": True} if facts.associated_with_other_partner else None


def _special_contract(facts: Facts, now: datetime) -> Evidence | None:
    return _contract_in_force(facts, SPECIAL_CONTRACTS, now)


def _registered_too_long(facts: Facts, now: datetime) -> Evidence | None:
    last_moment = facts.registered_at + REGISTRATION_WINDOW
    if now <= last_moment:
        return None
    return {
        "registered_at": facts.registered_at.isoformat(),
        "joinable_until": last_moment.isoformat(),
    }


def _cash_expenditure(facts: Facts, _now: datetime) -> Evidence | None:
    amount = facts.largest_cash_expenditure
    return {"largest_amount": str(amount)} if amount is not None and amount > 0 else None


def _unpaid_bills(facts: Facts, _now: datetime) -> Evidence | None:
    owed = [b.amount - b.paid_amount for b in facts.bills if b.paid_amount < b.amount]
    return {"count": len(owed), "outstanding": str(sum(owed))} if owed else None


def _unified_accounting_member(facts: Facts, now: datetime) -> Evidence | None:
    return _membership_in_force(facts, {"unified"}, now)


def _professional_services_contract(facts: Facts, now: datetime) -> Evidence | None:
    return _contract_in_force(facts, PROFESSIONAL_SERVICES, now)


def _reserved_instances(facts: Facts, now: datetime) -> Evidence | None:
    expiries = [i.expires_at for i in facts.reserved_instances if i.is_in_force(now)]
    if not expiries:
        return None
    return {"count": len(expiries), "last_expires_at": max(expiries).isoformat()}


def _enterprise_member(facts: Facts, now: datetime) -> Evidence | None:
    return _membership_in_force(facts, {m.accounting for m in facts.memberships}, now)


def _master_with_independent_members(facts: Facts, now: datetime) -> Evidence | None:
    count = sum(m.accounting == "independent" and m.is_in_force(now) for m in facts.members)
    return {"count": count} if count else None


def _is_partner(facts: Facts, _now: datetime) -> Evidence | None:
    return {"owner_is_partner_member": True} if facts.owner_is_partner_member else None


def _internal_account(facts: Facts, _now: datetime) -> Evidence | None:
    return {"is_internal": True} if facts.is_internal else None


def _contract_in_force(facts: Facts, types: Collection[str], now: datetime) -> Evidence | None:
    in_force = [c for c in facts.contracts if c.contract_type in types and c.is_in_force(now)]
    if not in_force:
        return None
    last = max(in_force, key=lambda contract: contract.ends_at or FOREVER)
    ends_at = last.ends_at.isoformat() if last.ends_at else None
    return {"count": len(in_force), "contract_type": last.contract_type, "ends_at": ends_at}


def _membership_in_force(
    facts: Facts, accounting: Collection[str], now: datetime
) -> Evidence | None:
    for member in facts.memberships:
        if member.accounting in accounting and member.is_in_force(now):
            return {"accounting": member.accounting, "member_type": member.member_type}
    return None


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the policy: its code, the association types it is for, and its function."""

    code: RefusalCode
    association_types: frozenset[str]
    refuses: Callable[[Facts, datetime], Evidence | None]
    # Not shown when this rule refuses, whose text covers it.
    hidden_beside: RefusalCode | None = None


RULES = (
    Rule(RefusalCode.CHINESE_MAINLAND_SITE, BOTH, _chinese_mainland_site),
    Rule(RefusalCode.OTHER_PARTNER, BOTH, _other_partner),
    Rule(RefusalCode.SPECIAL_CONTRACT, BOTH, _special_contract),
    Rule(RefusalCode.REGISTERED_TOO_LONG, BOTH, _registered_too_long),
    Rule(RefusalCode.CASH_EXPENDITURE, BOTH, _cash_expenditure),
    Rule(RefusalCode.UNPAID_BILLS, BOTH, _unpaid_bills),
    Rule(RefusalCode.UNIFIED_ACCOUNTING_MEMBER, BOTH, _unified_accounting_member),
    Rule(RefusalCode.PROFESSIONAL_SERVICES_CONTRACT, RESELLER, _professional_services_contract),
    Rule(RefusalCode.RESERVED_INSTANCES, RESELLER, _reserved_instances),
    Rule(
        RefusalCode.ENTERPRISE_MEMBER,
        RESELLER,
        _enterprise_member,
        hidden_beside=RefusalCode.UNIFIED_ACCOUNTING_MEMBER,
    ),
    Rule(RefusalCode.MASTER_WITH_INDEPENDENT_MEMBERS, RESELLER, _master_with_independent_members),
    Rule(RefusalCode.IS_PARTNER, BOTH, _is_partner),
    Rule(RefusalCode.INTERNAL_ACCOUNT, BOTH, _internal_account),
)


# --- The decision.

# The names of the evidence that says when a fact ends.
ENDS = ("ends_at", "last_expires_at")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reason why not, with its fact, which only the customer may see."""

    code: RefusalCode
    evidence: Evidence

    def outlasts(self, moment: datetime) -> bool:
        """Whether the fact is of a kind that ends, and does so only after the moment or never."""
        ends = [self.evidence[name] for name in ENDS if name in self.evidence]
        return any(end is None or datetime.fromisoformat(str(end)) > moment for end in ends)


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one rule, which passes without a refusal."""

    code: RefusalCode
    refusal: Refusal | None


@dataclass(frozen=True, slots=True)
class Decision:
    """The results of every rule that applies, in the policy's order."""

    facts: Facts
    association_type: str
    decided_at: datetime
    checks: tuple[Check, ...]

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        return tuple(check.refusal for check in self.checks if check.refusal)

    @property
    def is_eligible(self) -> bool:
        return not self.refusals

    @property
    def ending_too_late(self) -> frozenset[RefusalCode]:
        """The refusals whose fact has an end, but only after the account may join, or never."""
        last_moment = self.facts.registered_at + REGISTRATION_WINDOW
        return frozenset(r.code for r in self.refusals if r.outlasts(last_moment))


def evaluate(facts: Facts, association_type: str, now: datetime) -> Decision:
    """Apply every rule of the association type; an unknown type is a ValueError."""
    if association_type not in BOTH:
        raise ValueError(f"Unknown association type: {association_type!r}")
    rules = [rule for rule in RULES if association_type in rule.association_types]
    found = {rule.code: rule.refuses(facts, now) for rule in rules}
    refusals = {code: Refusal(code, fact) for code, fact in found.items() if fact is not None}
    shown = [rule.code for rule in rules if rule.hidden_beside not in refusals]
    checks = tuple(Check(code, refusals.get(code)) for code in shown)
    return Decision(facts, association_type, now, checks)


def snapshot(decision: Decision) -> dict[str, object]:
    """Return the decision and its facts as JSON, to be stored with the association.

    It has amounts and contracts, which a partner must never see.
    """
    refused = {refusal.code: refusal.evidence for refusal in decision.refusals}
    content = {
        "association_type": decision.association_type,
        "decided_at": decision.decided_at,
        "is_eligible": decision.is_eligible,
        "checks": [{"code": c.code, "refused_for": refused.get(c.code)} for c in decision.checks],
        "facts": asdict(decision.facts),
    }
    plain: dict[str, object] = json.loads(json.dumps(content, default=_as_text))
    return plain


def _as_text(value: datetime | Decimal) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
