"""The catalogue of refusals: complete, fillable, and silent towards partners."""

import re
from collections.abc import Iterator
from dataclasses import fields

import pytest
from django.test import override_settings
from django.utils.translation import override

from association.enums import Operation, RefusalCode
from association.refusal_texts import (
    REFUSAL_TEXTS,
    RefusalText,
    check_line,
    customer_reason,
    fact_text,
)
from association.services.eligibility import Check, Refusal, evaluate
from association.services.following_up import suggested_operation
from tests.association.test_eligibility import EVERYTHING, EVIDENCE, GOOD, NOW

CODES = list(RefusalCode)
TEXT_FIELDS = [field.name for field in fields(RefusalText)]
SAMPLES = EVIDENCE | {
    "enterprise_member": {"accounting": "independent", "member_type": "cloud_account"}
}
KNOWN = {key for evidence in SAMPLES.values() for key in evidence}
FACT_TEXTS = {
    "chinese_mainland_site": "Your account was registered on the Chinese mainland site.",
    "other_partner": "Your account is associated with another partner.",
    "special_contract": (
        "In force: 2 contracts. The last to end: special offer signed directly. "
        "End date: 26 November 2025, 12:00 UTC."
    ),
    "registered_too_long": (
        "Registered: 14 November 2025, 12:00 UTC. "
        "The seven days ended: 21 November 2025, 12:00 UTC."
    ),
    "cash_expenditure": "Largest amount paid in cash: 12.50\N{NO-BREAK SPACE}USD.",
    "unpaid_bills": "2 unpaid bills, 8.50\N{NO-BREAK SPACE}USD in total.",
    "unified_accounting_member": (
        "Your account in the enterprise: resource account, unified accounting."
    ),
    "professional_services_contract": (
        "In force: 2 contracts. The last to end: professional services contract. End date: not set."
    ),
    "reserved_instances": (
        "2 reserved instances. The last one expires: 25 November 2025, 12:00 UTC."
    ),
    "enterprise_member": ("Your account in the enterprise: cloud account, independent accounting."),
    "master_with_independent_members": "1 member with independent accounting.",
    "is_partner": "The owner of this account is a member of a partner.",
    "internal_account": "This account belongs to Example Cloud.",
}


def refusal(code: str, **evidence: str | int | None) -> Refusal:
    return Refusal(RefusalCode(code), evidence)


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with override("en"), override_settings(PROVIDER_NAME="Example Cloud", CURRENCY="USD"):
        yield


def test_every_code_and_no_other_has_a_text() -> None:
    assert list(REFUSAL_TEXTS) == CODES


@pytest.mark.parametrize("field", TEXT_FIELDS)
@pytest.mark.parametrize("code", CODES)
def test_every_code_has_every_text(code: str, field: str) -> None:
    # A plural text is only whole once its number is known.
    text = getattr(REFUSAL_TEXTS[code], field) % {**dict.fromkeys(KNOWN, 2), "provider": "P"}
    assert text.strip() == text != ""
    assert text.endswith(".") == (field != "title")


@pytest.mark.parametrize("field", ["title", "partner", "suggested_operation"])
@pytest.mark.parametrize("code", CODES)
def test_what_partners_read_has_nothing_filled_in(code: str, field: str) -> None:
    assert "%" not in str(getattr(REFUSAL_TEXTS[code], field))


@pytest.mark.parametrize("field", ["customer"])
@pytest.mark.parametrize("code", CODES)
def test_customer_texts_know_the_provider_only(code: str, field: str) -> None:
    placeholders = re.findall(r"%(?:\((\w+)\)s)?", str(getattr(REFUSAL_TEXTS[code], field)))
    assert set(placeholders) <= {"provider"}


@pytest.mark.parametrize(("code", "text"), FACT_TEXTS.items(), ids=FACT_TEXTS.keys())
def test_fact_is_shown_with_what_the_rule_found(code: str, text: str) -> None:
    assert fact_text(refusal(code, **SAMPLES[code])) == text


@pytest.mark.parametrize("code", [code for code in CODES if code not in FACT_TEXTS])
def test_invitation_refusal_needs_no_evidence(code: str) -> None:
    assert fact_text(refusal(code)) == str(REFUSAL_TEXTS[code].fact)


@pytest.mark.parametrize(
    ("code", "evidence", "text"),
    [
        (
            "special_contract",
            {"count": 1, "contract_type": "offline_direct", "ends_at": None},
            "In force: offline direct contract. End date: not set.",
        ),
        (
            "special_contract",
            {"count": 1, "contract_type": "100% new", "ends_at": "2025-11-26T00:00:00+08:00"},
            "In force: 100% new. End date: 25 November 2025, 16:00 UTC.",
        ),
        (
            "unpaid_bills",
            {"count": 1, "outstanding": "1234567.5"},
            "1 unpaid bill, 1,234,567.50\N{NO-BREAK SPACE}USD in total.",
        ),
        (
            "reserved_instances",
            {"count": 1, "last_expires_at": "2025-11-25T12:00:00+00:00"},
            "1 reserved instance. It expires: 25 November 2025, 12:00 UTC.",
        ),
        (
            "master_with_independent_members",
            {"count": 2},
            "2 members with independent accounting.",
        ),
    ],
)
def test_fact_is_shown_in_singular_and_plural(
    code: str, evidence: dict[str, str | int | None], text: str
) -> None:
    assert fact_text(refusal(code, **evidence)) == text


def test_fact_follows_the_readers_language() -> None:
    with override("fr"):
        text = fact_text(refusal("registered_too_long", **SAMPLES["registered_too_long"]))
    assert "14 novembre 2025" in text


@override_settings(PROVIDER_NAME="100% Cloud", CURRENCY="EUR")
def test_provider_and_currency_come_from_the_settings() -> None:
    assert customer_reason("professional_services_contract") == (
        "You have a professional services contract with 100% Cloud."
    )
    assert fact_text(refusal("cash_expenditure", largest_amount="1.00")).endswith("EUR.")


def test_refused_check_shows_reason_fact_and_what_to_do() -> None:
    check = Check(RefusalCode.UNPAID_BILLS, refusal("unpaid_bills", count=1, outstanding="2.00"))
    assert check_line(check) == {
        "code": "unpaid_bills",
        "passed": False,
        "title": "All bills are paid",
        "reason": "All bills must be paid, also those that are not due yet.",
        "fact": "1 unpaid bill, 2.00\N{NO-BREAK SPACE}USD in total.",
    }


def test_passed_check_shows_only_the_rule() -> None:
    lines = [check_line(check) for check in evaluate(GOOD, "reseller", NOW).checks]
    assert {(line["passed"], line["reason"], line["fact"]) for line in lines} == {(True, "", "")}


def test_every_check_of_a_refused_account_has_its_line() -> None:
    lines = [check_line(check) for check in evaluate(EVERYTHING, "reseller", NOW).checks]
    assert {line["code"]: line["fact"] for line in lines} == {
        code: text for code, text in FACT_TEXTS.items() if code != "enterprise_member"
    }


def test_operation_keys_are_stable() -> None:
    assert [operation.value for operation in Operation] == [
        "resend",
        "offer_referral",
        "send_online_invitation",
        "send_to_other_address",
        "message_customer",
    ]
    assert {code for code in CODES if suggested_operation(code) == "offer_referral"} == {
        "professional_services_contract",
        "reserved_instances",
        "enterprise_member",
        "master_with_independent_members",
    }
