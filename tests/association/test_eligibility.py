"""The rules of eligibility at their boundaries, one table, without a database."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from association.enums import RefusalCode
from association.services.eligibility import (
    RULES,
    BillFact,
    ContractFact,
    Evidence,
    Facts,
    MemberFact,
    MembershipFact,
    ReservedInstanceFact,
    evaluate,
    snapshot,
)

NOW = datetime(2025, 11, 23, 12, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
CENT = Decimal("0.01")

GOOD = Facts(
    registration_site="international",
    registered_at=NOW - DAY,
    is_internal=False,
    owner_is_partner_member=False,
    associated_with_other_partner=False,
    largest_cash_expenditure=None,
    contracts=(),
    bills=(),
    reserved_instances=(),
    memberships=(),
    members=(),
)


def contract(contract_type: str = "offline_direct", /, **moments: datetime) -> dict[str, Any]:
    open_ended = dict.fromkeys(("signed_at", "effective_from", "effective_to", "terminated_at"))
    return {"contracts": (ContractFact(contract_type, **(open_ended | moments)),)}


def bill(amount: str, paid_amount: str) -> dict[str, Any]:
    return {"bills": (BillFact(Decimal(amount), Decimal(paid_amount)),)}


def reserved(expires_at: datetime, cancelled_at: datetime | None = None) -> dict[str, Any]:
    return {"reserved_instances": (ReservedInstanceFact(expires_at, cancelled_at),)}


def member_of(
    accounting: str, ended_at: datetime | None = None, member_type: str = "resource_account"
) -> dict[str, Any]:
    return {"memberships": (MembershipFact(accounting, ended_at, member_type),)}


def master_of(accounting: str, ended_at: datetime | None = None) -> dict[str, Any]:
    return {"members": (MemberFact(accounting, ended_at),)}


def codes(facts: Facts, association_type: str = "reseller", now: datetime = NOW) -> list[str]:
    return [refusal.code.value for refusal in evaluate(facts, association_type, now).refusals]


PASS: list[str] = []
SPECIAL = ["special_contract"]
SERVICES = ["professional_services_contract"]
UNIFIED = ["unified_accounting_member"]
MEMBER = ["enterprise_member"]
RESERVED = ["reserved_instances"]
MASTER = ["master_with_independent_members"]
BEGUN = {"signed_at": NOW - DAY}

# What differs from the good account, who refuses a reseller, who refuses a referral.
BOUNDARIES: dict[str, tuple[dict[str, Any], list[str], list[str]]] = {
    "nothing against it": ({}, PASS, PASS),
    "mainland site": (
        {"registration_site": "chinese_mainland"},
        ["chinese_mainland_site"],
        ["chinese_mainland_site"],
    ),
    "unheard-of site": (
        {"registration_site": ""},
        ["chinese_mainland_site"],
        ["chinese_mainland_site"],
    ),
    "other partner": (
        {"associated_with_other_partner": True},
        ["other_partner"],
        ["other_partner"],
    ),
    "contract signed just ago": (contract(signed_at=NOW - TICK), SPECIAL, SPECIAL),
    "contract signed now": (contract(signed_at=NOW), SPECIAL, SPECIAL),
    "contract signed in a moment": (contract(signed_at=NOW + TICK), PASS, PASS),
    "contract started just ago": (contract(effective_from=NOW - TICK), SPECIAL, SPECIAL),
    "contract starts now": (contract(effective_from=NOW), SPECIAL, SPECIAL),
    "contract starts in a moment": (contract(effective_from=NOW + TICK), PASS, PASS),
    "contract signed, starts later": (
        contract(signed_at=NOW, effective_from=NOW + DAY),
        SPECIAL,
        SPECIAL,
    ),
    "contract started, signed later": (
        contract(signed_at=NOW + DAY, effective_from=NOW),
        SPECIAL,
        SPECIAL,
    ),
    "contract neither signed nor started": (contract(), PASS, PASS),
    "contract ended just ago": (contract(**BEGUN, effective_to=NOW - TICK), PASS, PASS),
    "contract ends now": (contract(**BEGUN, effective_to=NOW), PASS, PASS),
    "contract ends in a moment": (contract(**BEGUN, effective_to=NOW + TICK), SPECIAL, SPECIAL),
    "contract terminated just ago": (contract(**BEGUN, terminated_at=NOW - TICK), PASS, PASS),
    "contract terminated now": (contract(**BEGUN, terminated_at=NOW), PASS, PASS),
    "contract to be terminated": (contract(**BEGUN, terminated_at=NOW + TICK), SPECIAL, SPECIAL),
    "contract terminated before its end": (
        contract(**BEGUN, effective_to=NOW + DAY, terminated_at=NOW),
        PASS,
        PASS,
    ),
    "telemarketing contract": (contract("telemarketing_discount", **BEGUN), SPECIAL, SPECIAL),
    "special offer contract": (contract("special_offer_direct", **BEGUN), SPECIAL, SPECIAL),
    "registered in future": ({"registered_at": NOW + DAY}, PASS, PASS),
    "registered almost a week ago": ({"registered_at": NOW - WEEK + TICK}, PASS, PASS),
    "registered a week ago": ({"registered_at": NOW - WEEK}, PASS, PASS),
    "registered more than a week ago": (
        {"registered_at": NOW - WEEK - TICK},
        ["registered_too_long"],
        ["registered_too_long"],
    ),
    "cash refunded": ({"largest_cash_expenditure": -CENT}, PASS, PASS),
    "cash of nothing": ({"largest_cash_expenditure": Decimal(0)}, PASS, PASS),
    "cash of a cent": (
        {"largest_cash_expenditure": CENT},
        ["cash_expenditure"],
        ["cash_expenditure"],
    ),
    "bill paid but for a cent": (bill("10.00", "9.99"), ["unpaid_bills"], ["unpaid_bills"]),
    "bill paid": (bill("10.00", "10.00"), PASS, PASS),
    "bill overpaid": (bill("10.00", "10.01"), PASS, PASS),
    "bill of nothing": (bill("0.00", "0.00"), PASS, PASS),
    "unified member": (member_of("unified"), UNIFIED, UNIFIED),
    "unified cloud account": (member_of("unified", None, "cloud_account"), UNIFIED, UNIFIED),
    "unified member until just ago": (member_of("unified", NOW - TICK), PASS, PASS),
    "unified member until now": (member_of("unified", NOW), PASS, PASS),
    "unified member for a moment": (member_of("unified", NOW + TICK), UNIFIED, UNIFIED),
    "services contract signed now": (
        contract("professional_services", signed_at=NOW),
        SERVICES,
        PASS,
    ),
    "services contract ends now": (
        contract("professional_services", **BEGUN, effective_to=NOW),
        PASS,
        PASS,
    ),
    "services contract ends in a moment": (
        contract("professional_services", **BEGUN, effective_to=NOW + TICK),
        SERVICES,
        PASS,
    ),
    "reserved instance expired just ago": (reserved(NOW - TICK), PASS, PASS),
    "reserved instance expires now": (reserved(NOW), PASS, PASS),
    "reserved instance expires in a moment": (reserved(NOW + TICK), RESERVED, PASS),
    "reserved instance cancelled now": (reserved(NOW + DAY, NOW), PASS, PASS),
    "reserved instance to be cancelled": (reserved(NOW + DAY, NOW + TICK), RESERVED, PASS),
    "independent member": (member_of("independent"), MEMBER, PASS),
    "member under an unheard-of accounting": (member_of(""), MEMBER, PASS),
    "independent member until now": (member_of("independent", NOW), PASS, PASS),
    "independent member for a moment": (member_of("independent", NOW + TICK), MEMBER, PASS),
    "member twice": (
        {
            "memberships": (
                MembershipFact("independent", None, "cloud_account"),
                MembershipFact("unified", None, "cloud_account"),
            )
        },
        UNIFIED,
        UNIFIED,
    ),
    "member independent, once unified": (
        {
            "memberships": (
                MembershipFact("unified", NOW, "cloud_account"),
                MembershipFact("independent", None, "cloud_account"),
            )
        },
        MEMBER,
        PASS,
    ),
    "master of unified": (master_of("unified"), PASS, PASS),
    "master of independent": (master_of("independent"), MASTER, PASS),
    "master of independent until now": (master_of("independent", NOW), PASS, PASS),
    "master of independent for a moment": (master_of("independent", NOW + TICK), MASTER, PASS),
    "partner member": ({"owner_is_partner_member": True}, ["is_partner"], ["is_partner"]),
    "internal": ({"is_internal": True}, ["internal_account"], ["internal_account"]),
}


@pytest.mark.parametrize(
    ("changes", "reseller", "referral"), BOUNDARIES.values(), ids=BOUNDARIES.keys()
)
def test_rule_at_its_boundary(
    changes: dict[str, Any], reseller: list[str], referral: list[str]
) -> None:
    facts = replace(GOOD, **changes)
    assert (codes(facts, "reseller"), codes(facts, "referral")) == (reseller, referral)


EVERYTHING = replace(
    GOOD,
    registration_site="chinese_mainland",
    registered_at=NOW - 9 * DAY,
    is_internal=True,
    owner_is_partner_member=True,
    associated_with_other_partner=True,
    largest_cash_expenditure=Decimal("12.50"),
    contracts=(
        ContractFact("offline_direct", NOW - DAY, None, NOW + 2 * DAY, NOW + DAY),
        ContractFact("special_offer_direct", None, NOW - DAY, NOW + 3 * DAY, None),
        ContractFact("professional_services", NOW - DAY, None, NOW + DAY, None),
        ContractFact("professional_services", NOW - DAY, None, None, None),
    ),
    bills=(
        BillFact(Decimal("10.00"), Decimal("2.50")),
        BillFact(Decimal("5.00"), Decimal("5.00")),
        BillFact(Decimal("1.00"), Decimal("0.00")),
    ),
    reserved_instances=(
        ReservedInstanceFact(NOW + 2 * DAY, None),
        ReservedInstanceFact(NOW + DAY, None),
        ReservedInstanceFact(NOW + 9 * DAY, NOW),
    ),
    memberships=(MembershipFact("unified", None, "resource_account"),),
    members=(MemberFact("independent", None), MemberFact("unified", None)),
)

# In the order of the specification's table.
EVIDENCE: dict[str, Evidence] = {
    "chinese_mainland_site": {"registration_site": "chinese_mainland"},
    "other_partner": {"associated_with_other_partner": True},
    "special_contract": {
        "count": 2,
        "contract_type": "special_offer_direct",
        "ends_at": "2025-11-26T12:00:00+00:00",
    },
    "registered_too_long": {
        "registered_at": "2025-11-14T12:00:00+00:00",
        "joinable_until": "2025-11-21T12:00:00+00:00",
    },
    "cash_expenditure": {"largest_amount": "12.50"},
    "unpaid_bills": {"count": 2, "outstanding": "8.50"},
    "unified_accounting_member": {"accounting": "unified", "member_type": "resource_account"},
    "professional_services_contract": {
        "count": 2,
        "contract_type": "professional_services",
        "ends_at": None,
    },
    "reserved_instances": {"count": 2, "last_expires_at": "2025-11-25T12:00:00+00:00"},
    "master_with_independent_members": {"count": 1},
    "is_partner": {"owner_is_partner_member": True},
    "internal_account": {"is_internal": True},
}
RESELLER_ONLY = {
    "professional_services_contract",
    "reserved_instances",
    "enterprise_member",
    "master_with_independent_members",
}


def test_all_refusals_come_at_once_in_order_with_their_facts() -> None:
    decision = evaluate(EVERYTHING, "reseller", NOW)
    found = [(refusal.code.value, refusal.evidence) for refusal in decision.refusals]
    assert found == list(EVIDENCE.items())
    assert not decision.is_eligible


def test_referral_leaves_out_the_reseller_rules() -> None:
    assert codes(EVERYTHING, "referral") == [c for c in EVIDENCE if c not in RESELLER_ONLY]


@pytest.mark.parametrize("association_type", ["reseller", "referral"])
def test_eligible_account_passes_every_rule_of_its_type(association_type: str) -> None:
    decision = evaluate(GOOD, association_type, NOW)
    applicable = [r.code for r in RULES if association_type in r.association_types]
    assert [check.code for check in decision.checks] == applicable
    assert [check.refusal for check in decision.checks] == [None] * len(applicable)
    assert decision.is_eligible


def test_enterprise_member_is_neither_refused_nor_passed_beside_unified_accounting() -> None:
    shown = [
        c.code for c in evaluate(replace(GOOD, **member_of("unified")), "reseller", NOW).checks
    ]
    assert shown == [rule.code for rule in RULES if rule.code != RefusalCode.ENTERPRISE_MEMBER]


def test_contract_that_is_terminated_first_ends_then() -> None:
    facts = replace(GOOD, **contract(**BEGUN, effective_to=NOW + 2 * DAY, terminated_at=NOW + DAY))
    (refusal,) = evaluate(facts, "reseller", NOW).refusals
    assert refusal.evidence["ends_at"] == (NOW + DAY).isoformat()


@pytest.mark.parametrize("association_type", ["", "Reseller", "both", "reseller "])
def test_unknown_association_type_is_never_a_pass(association_type: str) -> None:
    with pytest.raises(ValueError, match="Unknown association type"):
        evaluate(GOOD, association_type, NOW)


def test_moment_without_zone_is_never_a_pass() -> None:
    with pytest.raises(TypeError, match="offset-naive"):
        evaluate(GOOD, "reseller", NOW.replace(tzinfo=None))


@pytest.mark.parametrize("facts", [GOOD, EVERYTHING], ids=["eligible", "refused"])
def test_snapshot_is_json_with_every_outcome_and_the_facts(facts: Facts) -> None:
    decision = evaluate(facts, "reseller", NOW)
    kept = snapshot(decision)
    assert json.loads(json.dumps(kept)) == kept
    assert (kept["association_type"], kept["decided_at"]) == ("reseller", NOW.isoformat())
    assert kept["is_eligible"] == decision.is_eligible
    assert kept["checks"] == [
        {"code": c.code.value, "refused_for": c.refusal and c.refusal.evidence}
        for c in decision.checks
    ]


def test_snapshot_keeps_moments_and_money_exact() -> None:
    facts = replace(
        GOOD,
        registered_at=NOW - TICK,
        largest_cash_expenditure=CENT,
        **contract(signed_at=NOW),
    )
    assert snapshot(evaluate(facts, "reseller", NOW))["facts"] == {
        "registration_site": "international",
        "registered_at": "2025-11-23T11:59:59.999999+00:00",
        "is_internal": False,
        "owner_is_partner_member": False,
        "associated_with_other_partner": False,
        "largest_cash_expenditure": "0.01",
        "contracts": [
            {
                "contract_type": "offline_direct",
                "signed_at": "2025-11-23T12:00:00+00:00",
                "effective_from": None,
                "effective_to": None,
                "terminated_at": None,
            }
        ],
        "bills": [],
        "reserved_instances": [],
        "memberships": [],
        "members": [],
    }


# --- With any facts

MOMENTS = st.integers(-10 * 86400, 10 * 86400).map(lambda s: NOW + timedelta(seconds=s))
MAYBE = st.none() | MOMENTS
PAST = st.integers(0, 10**12).map(lambda ticks: NOW - ticks * TICK)
AMOUNTS = st.decimals(0, 1000, places=2)
CONTRACT_TYPES = st.sampled_from(
    ["offline_direct", "telemarketing_discount", "special_offer_direct", "professional_services"]
)
ACCOUNTING = st.sampled_from(["unified", "independent"])
MEMBER_TYPES = st.sampled_from(["resource_account", "cloud_account"])
TYPES = st.sampled_from(["reseller", "referral"])
ONE_FACT = {
    "contracts": st.builds(ContractFact, CONTRACT_TYPES, MAYBE, MAYBE, MAYBE, MAYBE),
    "bills": st.builds(BillFact, AMOUNTS, AMOUNTS),
    "reserved_instances": st.builds(ReservedInstanceFact, MOMENTS, MAYBE),
    "memberships": st.builds(MembershipFact, ACCOUNTING, MAYBE, MEMBER_TYPES),
    "members": st.builds(MemberFact, ACCOUNTING, MAYBE),
}
FACTS = st.builds(
    Facts,
    registration_site=st.sampled_from(["international", "chinese_mainland"]),
    registered_at=MOMENTS,
    is_internal=st.booleans(),
    owner_is_partner_member=st.booleans(),
    associated_with_other_partner=st.booleans(),
    largest_cash_expenditure=st.none() | AMOUNTS,
    **{name: st.lists(fact, max_size=3).map(tuple) for name, fact in ONE_FACT.items()},
)
ADDITIONS = st.sampled_from(sorted(ONE_FACT)).flatmap(
    lambda name: st.tuples(st.just(name), ONE_FACT[name])
)


@given(FACTS, TYPES, ADDITIONS, st.integers(0, 3))
def test_another_fact_never_removes_a_refusal(
    facts: Facts, association_type: str, addition: tuple[str, Any], position: int
) -> None:
    name, fact = addition
    known = getattr(facts, name)
    added: dict[str, Any] = {name: (*known[:position], fact, *known[position:])}
    more = replace(facts, **added)
    before, after = codes(facts, association_type), codes(more, association_type)
    hidden = {"enterprise_member"} if "unified_accounting_member" in after else set()
    assert set(before) - set(after) <= hidden


@given(FACTS, TYPES)
def test_same_facts_give_the_same_decision_in_any_order(
    facts: Facts, association_type: str
) -> None:
    turned = replace(facts, **{name: getattr(facts, name)[::-1] for name in ONE_FACT})
    assert evaluate(facts, association_type, NOW) == evaluate(facts, association_type, NOW)
    assert codes(turned, association_type) == codes(facts, association_type)


@given(
    contracts=st.builds(ContractFact, CONTRACT_TYPES, MAYBE, MAYBE, PAST, MAYBE)
    | st.builds(ContractFact, CONTRACT_TYPES, MAYBE, MAYBE, MAYBE, PAST),
    bills=AMOUNTS.map(lambda amount: BillFact(amount, amount)),
    reserved_instances=st.builds(ReservedInstanceFact, PAST, MAYBE)
    | st.builds(ReservedInstanceFact, MOMENTS, PAST),
    memberships=st.builds(MembershipFact, ACCOUNTING, PAST, MEMBER_TYPES),
    members=st.builds(MemberFact, ACCOUNTING, PAST),
)
def test_what_has_ended_never_refuses(**ended: Any) -> None:
    only_ended: dict[str, Any] = {name: (fact,) for name, fact in ended.items()}
    assert codes(replace(GOOD, **only_ended)) == PASS


@given(FACTS)
def test_referral_never_refuses_what_reseller_accepts(facts: Facts) -> None:
    reseller, referral = codes(facts, "reseller"), codes(facts, "referral")
    assert referral == [code for code in reseller if code not in RESELLER_ONLY]
