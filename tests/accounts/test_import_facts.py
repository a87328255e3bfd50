"""`manage.py import_facts`: idempotent, all or nothing, and a reason for every invalid line."""

import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import (
    Bill,
    Coupon,
    CustomerAccount,
    EnterpriseRelation,
)
from accounts.services.fact_forms import FACT_FORMS
from accounts.services.fact_lines import validate_lines
from accounts.services.facts_import import import_facts
from audit.models import AuditEvent
from tests import factories as typed_factories

factories: Any = typed_factories

pytestmark = pytest.mark.django_db

BILL: dict[str, Any] = {
    "kind": "bill",
    "source": "billing",
    "external_id": "b-1",
    "account": "c-buyer",
    "amount": "100.00",
    "paid_amount": "99.5",
    "issued_at": "2026-01-31T10:00:00+01:00",
}
NO_AMOUNT = 'amount: Write an amount with at most two decimal places, like "12.50".'
NO_MOMENT = 'issued_at: Write a moment with its time zone, like "2026-01-31T09:00:00Z".'
BOM = "The line begins with a byte order mark. Save the file without."
NO_ACCOUNT = "account: There is no customer account with this name or address."
KINDS = (
    "Unknown kind. Known kinds: contract, bill, cash_expenditure, reserved_instance, "
    "enterprise_relation, coupon, resource, account."
)
LINES: dict[str, dict[str, Any]] = {
    "contract": {"contract_type": "offline_direct", "signed_at": "2026-01-01T00:00:00Z"},
    "bill": {"amount": "5", "paid_amount": "0", "issued_at": "2026-01-01T00:00:00Z"},
    "cash_expenditure": {"amount": "5.00", "occurred_at": "2026-01-01T00:00:00Z"},
    "reserved_instance": {"expires_at": "2026-01-01T00:00:00Z", "cancelled_at": None},
    "coupon": {"balance": "0.10"},
    "resource": {"name": "server", "billing": "pay_per_use", "status": "running"},
    "account": {"country": "XK", "is_internal": True, "services_enabled_at": None},
}


@pytest.fixture(autouse=True)
def buyer() -> CustomerAccount:
    account: CustomerAccount = factories.CustomerAccountFactory(
        owner__account_name="c-buyer", owner__email="buyer@example.org"
    )
    return account


@pytest.fixture
def load(tmp_path: Path) -> Any:
    """Import lines (objects or bytes) and return the report."""

    def run(*lines: Any, **options: Any) -> Any:
        file = tmp_path / "facts.jsonl"
        raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        file.write_bytes(b"\n".join(raw) + b"\n")
        out = io.StringIO()
        try:
            call_command("import_facts", str(file), "--json", stdout=out, **options)
        except CommandError as error:
            return {**json.loads(out.getvalue()), "error": str(error)}
        return json.loads(out.getvalue())

    return run


def counts(report: Any) -> tuple[int, int, int]:
    return report["created"], report["updated"], report["unchanged"]


def test_bill_is_stored_exactly(load: Any, buyer: CustomerAccount) -> None:
    load(BILL)
    bill: Any = Bill.objects.get()
    assert (bill.account, bill.amount, bill.paid_amount, bill.issued_at, bill.due_at) == (
        buyer,
        Decimal("100.00"),
        Decimal("99.50"),
        datetime(2026, 1, 31, 9, tzinfo=UTC),
        None,
    )


def test_every_kind_is_imported_and_repeated_without_effect(load: Any) -> None:
    lines = [
        {
            "kind": kind,
            "source": "crm",
            "external_id": "x",
            "account": "buyer@example.org",
            **fields,
        }
        for kind, fields in LINES.items()
    ]
    master = factories.CustomerAccountFactory(owner__account_name="c-master")
    lines.append(
        {
            "kind": "enterprise_relation",
            "source": "crm",
            "external_id": "x",
            "master": "c-master",
            "member": "Buyer@Example.org",
            "accounting": "unified",
            "member_type": "cloud_account",
        }
    )
    assert counts(load(*lines)) == (7, 1, 0)
    events = list(AuditEvent.objects.values())
    assert counts(load(*lines)) == (0, 0, 8)
    assert list(AuditEvent.objects.values()) == events
    assert len(events) == 8
    assert EnterpriseRelation.objects.get().master == master
    account = CustomerAccount.objects.get(owner__account_name="c-buyer")
    assert (account.country.code, account.is_internal) == ("XK", True)


def test_changed_value_updates_the_row_and_is_audited(load: Any) -> None:
    load(BILL)
    assert counts(load({**BILL, "paid_amount": "100"})) == (0, 1, 0)
    assert Bill.objects.get().paid_amount == Decimal("100.00")
    event = AuditEvent.objects.order_by("pk").last()
    assert event is not None
    assert (event.action, event.before["paid_amount"], event.after["paid_amount"]) == (
        "bill.imported",
        "99.50",
        "100.00",
    )


def test_one_invalid_line_stops_the_import(load: Any) -> None:
    report = load(
        BILL, {**BILL, "external_id": "b-2", "amount": 1.5}, b"{", b"", {**BILL, "amount": "101"}
    )
    assert report["errors"] == [
        {
            "line": 2,
            "reason": "amount: Write text in quotes.",
        },
        {"line": 3, "reason": "The line is not JSON."},
        {"line": 5, "reason": "This contradicts line 1."},
    ]
    assert report["error"] == "3 of 4 lines are rejected. Nothing was imported."
    assert (Bill.objects.count(), AuditEvent.objects.count()) == (0, 0)


def raw(**changes: Any) -> bytes:
    return json.dumps({**BILL, **changes}).encode()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"\xff\xfe{\x00", "The line is not UTF-8."),
        (b"\xef\xbb\xbf" + raw(), BOM),
        (b'{"kind": "\x00"}', "The line is not JSON."),
        (raw(external_id="a\0b"), "external_id: Null characters are not allowed."),
        (raw(source="\ud800"), "source: The text has an invalid character."),
        (b"x" * 10_000_000, "The line is longer than 65536 bytes."),
        (b"[" * 60_000, "The line is not JSON."),
        (b"1" * 6_000, "The line is not JSON."),
        (b"[]", "The line is not a JSON object."),
        (b'{"kind": "bill", "kind": "bill"}', "The field 'kind' appears twice."),
        (b'{"a": {"b": 1, "b": 2}}', "The field 'b' appears twice."),
        (b'{"amount": NaN}', "NaN is not a JSON value."),
        (b'{"amount": -Infinity}', "-Infinity is not a JSON value."),
        (raw(kind="invoice"), KINDS),
        (raw(kind="spending"), "Spending counts against budgets: use record_spending."),
        (raw(kind=None), KINDS),
        (raw(kind=["bill"]), KINDS),
        (raw(colour="red", **{"\x1b[2J": 1}), "\\x1b[2J: Unknown field. colour: Unknown field."),
        (raw(id=5), "id: Unknown field."),
        (raw(account="c-nobody"), NO_ACCOUNT),
        (raw(account="no one@x"), "account: Write an account name or an e-mail address."),
        (raw(source=""), "source: This field is required."),
        (raw(source=True), "source: Write text in quotes."),
        (raw(external_id="x" * 121),
         "external_id: Ensure this value has at most 120 characters (it has 121)."),
        (raw(amount="1.234"), NO_AMOUNT),
        (raw(amount="1e3"), NO_AMOUNT),
        (raw(amount="NaN"), NO_AMOUNT),
        (raw(amount="١٢"), NO_AMOUNT),
        (raw(amount=5), "amount: Write text in quotes."),
        (raw(amount=None), "amount: This field is required."),
        (raw(amount="9" * 13),
         "amount: Ensure that there are no more than 12 digits before the decimal point."),
        (raw(issued_at="2026-01-31T09:00:00"), NO_MOMENT),
        (raw(issued_at="2026-02-30T09:00:00Z"), NO_MOMENT),
        (raw(issued_at="2026-W44-7T00:00:00Z"), NO_MOMENT),
        (raw(issued_at="20261101T000000Z"), NO_MOMENT),
        (raw(issued_at="2026-11-01T00Z"), NO_MOMENT),
        (raw(issued_at="0001-01-01T00:00:00+14:00"), NO_MOMENT),
        (raw(issued_at=1.5), "issued_at: Write text in quotes."),
        (raw(issued_at=["x"]), "issued_at: Write text in quotes."),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_invalid_line_is_reported_with_its_reason(load: Any, line: bytes, reason: str) -> None:
    assert load(line)["errors"] == [{"line": 1, "reason": reason}]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"kind": "contract", "contract_type": "handshake"}, "contract_type: Write one of: "
         "offline_direct, telemarketing_discount, special_offer_direct, professional_services."),
        ({"kind": "bill", "amount": "1", "paid_amount": "1"}, "issued_at: This field is required."),
        ({"kind": "account", "country": "XX"},
         'country: Write a country code of two capital letters.'),
        ({"kind": "account", "is_internal": "yes"}, "is_internal: Write true or false."),
        ({"kind": "account", "owner": "x"}, "owner: Unknown field."),
        ({"kind": "enterprise_relation", "master": "c-buyer", "accounting": "unified",
          "member_type": "cloud_account"}, "master and member are the same account."),
        ({"kind": "enterprise_relation", "master": "buyer@example.org", "accounting": "unified",
          "member_type": "cloud_account"}, "master and member are the same account."),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_invalid_field_is_reported_with_its_reason(
    load: Any, fields: dict[str, Any], reason: str
) -> None:
    line = {"source": "crm", "external_id": "x", "account": "c-buyer", **fields}
    assert load(line)["errors"] == [{"line": 1, "reason": reason}]


def test_lines_that_contradict_each_other_about_an_account_are_rejected(load: Any) -> None:
    line = {"kind": "account", "source": "crm", "account": "c-buyer", "is_internal": True}
    other = {**line, "external_id": "2", "account": "buyer@example.org", "is_internal": False}
    report = load({**line, "external_id": "1"}, other)
    assert report["errors"] == [{"line": 2, "reason": "This contradicts line 1."}]


def test_a_line_that_is_repeated_is_counted_as_unchanged(load: Any) -> None:
    """Systems that send at least once repeat events."""
    assert counts(load(BILL, {**BILL, "external_id": "b-2"}, BILL)) == (2, 0, 1)
    assert (Bill.objects.count(), AuditEvent.objects.count()) == (2, 2)


def test_dry_run_counts_and_writes_nothing(load: Any) -> None:
    assert counts(load(BILL, dry_run=True)) == (1, 0, 0)
    assert (Bill.objects.count(), AuditEvent.objects.count()) == (0, 0)


def test_two_sources_may_use_the_same_external_id(load: Any) -> None:
    load(BILL, {**BILL, "source": "other", "amount": "700"})
    assert Bill.objects.count() == 2


def test_statements_do_not_grow_with_the_lines(load: Any) -> None:
    def statements(prefix: str, number: int) -> int:
        lines = [
            {**LINES["coupon"], "kind": "coupon", "source": prefix, "account": "c-buyer",
             "external_id": str(index)}
            for index in range(number)
        ]  # fmt: skip
        with CaptureQueriesContext(connection) as captured:
            load(*lines)
        return len(captured)

    # With at most 999 parameters (SQLite, Django 5.2) 99 events are one statement.
    assert statements("few", 3) == statements("many", 99) == 7
    assert Coupon.objects.count() == 102


def test_more_than_one_batch_is_imported(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.services.fact_lines.BATCH", 2)
    lines = [{**BILL, "external_id": str(number)} for number in range(5)]
    assert counts(load(*lines)) == (5, 0, 0)
    again = load(*lines, {**lines[0], "amount": "1"})
    assert [error["line"] for error in again["errors"]] == [6]


def test_missing_file_is_reported() -> None:
    with pytest.raises(CommandError, match=r"^/nowhere/facts cannot be read: No such file"):
        call_command("import_facts", "/nowhere/facts")


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(json.dumps(BILL).encode())

    monkeypatch.setattr("sys.stdin", Stdin)
    out = io.StringIO()
    call_command("import_facts", "-", stdout=out)
    assert out.getvalue() == "Facts created: 1, updated: 0, unchanged: 0.\n"
    assert Bill.objects.count() == 1


def test_text_report_names_each_line(tmp_path: Path) -> None:
    file = tmp_path / "facts"
    file.write_bytes(b"{\r\n\r\n[]")
    output = io.StringIO()
    with pytest.raises(CommandError):
        call_command("import_facts", str(file), stderr=output)
    assert (
        output.getvalue()
        == "Line 1: The line is not JSON.\nLine 3: The line is not a JSON object.\n"
    )


def test_all_errors_of_a_line_are_reported(load: Any) -> None:
    line = {**BILL, "account": "c-nobody", "amount": 5, "issued_at": None, "colour": "red"}
    assert load(line)["errors"] == [
        {
            "line": 1,
            "reason": "issued_at: This field is required. amount: Write text in quotes. "
            f"{NO_ACCOUNT} colour: Unknown field.",
        }
    ]


def test_lines_after_one_that_is_too_long_are_validated(load: Any) -> None:
    longest = raw().ljust(65_536)
    report = load(longest, longest + b" ", b"[]", longest + b"\r")
    assert [(error["line"], report["lines"]) for error in report["errors"]] == [(2, 4), (3, 4)]


@pytest.fixture
def keyed(buyer: CustomerAccount) -> dict[str, Any]:
    """A bill of the buyer, whom the provider knows as /subscriptions/1, named by that key alone."""
    buyer.external_id = "/subscriptions/1"
    buyer.save()
    bill = {name: value for name, value in BILL.items() if name != "account"}
    return bill | {"account_external_id": "/subscriptions/1"}


def test_account_is_named_by_the_providers_key(
    load: Any, keyed: dict[str, Any], buyer: CustomerAccount
) -> None:
    assert counts(load(keyed)) == (1, 0, 0)
    assert Bill.objects.get().account == buyer
    assert counts(load(BILL)) == (0, 0, 1)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"account_external_id": "/subscriptions/2"},
         "account_external_id: There is no customer account with this external id."),
        # A key is no account name, and a name is no key.
        ({"account_external_id": "c-buyer"},
         "account_external_id: There is no customer account with this external id."),
        ({"account_external_id": "/SUBSCRIPTIONS/1"},
         "account_external_id: There is no customer account with this external id."),
        ({"account_external_id": None}, "account_external_id: This field is required."),
        ({"account_external_id": ""}, "account_external_id: This field is required."),
        ({"account_external_id": 1}, "account_external_id: Write text in quotes."),
        ({"account": "c-buyer"},
         "account: Name the account by account or by account_external_id, not by both."),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_key_that_names_no_account_is_rejected(
    load: Any, keyed: dict[str, Any], fields: dict[str, Any], reason: str
) -> None:
    assert load({**keyed, **fields})["errors"] == [{"line": 1, "reason": reason}]


def test_both_sides_of_a_relation_are_named_by_keys(load: Any, keyed: dict[str, Any]) -> None:
    factories.CustomerAccountFactory(owner__account_name="c-master", external_id="m")
    line = {
        "kind": "enterprise_relation",
        "source": "crm",
        "external_id": "x",
        "accounting": "unified",
        "member_type": "cloud_account",
    }
    member = {"account_external_id": keyed["account_external_id"]}
    assert counts(load({**line, **member, "master_external_id": "m"})) == (1, 0, 0)
    assert counts(load({**line, "member": "c-buyer", "master": "c-master"})) == (0, 0, 1)
    both = {"member": "c-buyer", "master_external_id": keyed["account_external_id"]}
    same = {"line": 1, "reason": "master and member are the same account."}
    assert load({**line, **both})["errors"] == [same]


def test_tax_id_is_imported_and_emptied(load: Any, buyer: CustomerAccount) -> None:
    line = {"kind": "account", "source": "crm", "external_id": "x", "account": "c-buyer"}
    load({**line, "tax_id": "DE 123"})
    buyer.refresh_from_db()
    assert buyer.tax_id == "DE 123"
    assert counts(load({**line, "tax_id": ""})) == (0, 1, 0)


def test_more_lines_than_the_limit_are_rejected(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.services.fact_lines.MOST_LINES", 2)
    lines = [{**BILL, "external_id": str(number)} for number in range(3)]
    assert counts(load(*lines[:2])) == (2, 0, 0)
    assert load(*lines)["errors"] == [
        {"line": 3, "reason": "There are more than 2 lines. Split the file."}
    ]


def test_parsed_objects_are_imported_and_not_changed() -> None:
    line = dict(BILL)
    report = import_facts(lines=[line], now=timezone.now())
    assert (report.created, report.errors, line) == (1, [], BILL)
    empty = import_facts(lines=[{}], now=timezone.now())
    [error] = empty.errors
    assert (error.line, error.reason) == (1, KINDS)
    assert [(fault.field, fault.code) for fault in error.faults] == [("", "unknown_kind")]


@pytest.mark.parametrize("kind", FACT_FORMS)
def test_form_has_all_fields_of_its_fact(kind: str) -> None:
    form = FACT_FORMS[kind]
    columns = {field.name for field in form.model._meta.fields} - {"id"}
    assert form.base_fields.keys() == columns
    assert {name for name, field in form.base_fields.items() if not field.required} == {
        field.name for field in form.model._meta.fields if field.null
    }


def test_account_keeps_what_its_line_does_not_give(load: Any, buyer: CustomerAccount) -> None:
    line = {"kind": "account", "source": "crm", "external_id": "x", "account": "c-buyer"}
    assert counts(load({**line, "is_internal": True})) == (0, 1, 0)
    required = {"line": 1, "reason": "country: This field is required."}
    assert load({**line, "country": None})["errors"] == [required]
    stored = CustomerAccount.objects.get()
    assert (stored.is_internal, stored.country) == (True, buyer.country)
    assert (stored.account_type, stored.registered_at) == (buyer.account_type, buyer.registered_at)


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        # It would give the account more than seven days to join.
        ("9999-12-31T23:59:59Z", "in_the_future"),
        ("1969-12-31T23:59:59Z", "too_early"),
        ("0001-01-01T00:00:00Z", "too_early"),
    ],
)
@pytest.mark.parametrize("name", ["registered_at", "services_enabled_at"])
def test_a_moment_of_an_account_that_cannot_be_true_is_rejected(name, moment, code):
    account = factories.CustomerAccountFactory.create()
    key = {"source": "crm", "external_id": "1", "account": account.owner.account_name}
    line = {"kind": "account", **key, name: moment}

    report = import_facts(lines=[line], now=timezone.now())

    assert [(one.field, one.code) for one in report.errors[0].faults] == [(name, code)]
    stored = getattr(account, name)
    account.refresh_from_db()
    assert getattr(account, name) == stored


def test_services_of_a_partners_customer_are_not_switched_off(
    load: Any, buyer: CustomerAccount
) -> None:
    factories.make_associated(account=buyer)
    off = {"kind": "account", "source": "crm", "external_id": "a", "account": "c-buyer"}

    report = load({**off, "services_enabled_at": None})

    [error] = report["errors"]
    assert "End the association first." in error["reason"]
    buyer.refresh_from_db()
    assert buyer.is_enabled
    assert load({**off, "country": "FR"})["errors"] == []


def test_services_are_not_switched_off_of_who_joins_a_partner_meanwhile(
    monkeypatch: pytest.MonkeyPatch, load: Any, buyer: CustomerAccount
) -> None:
    def read_and_join(*given: Any) -> list[Any]:
        rows = validate_lines(*given)
        factories.make_associated(account=buyer)
        return rows

    monkeypatch.setattr("accounts.services.facts_import.validate_lines", read_and_join)
    coupon = {"kind": "coupon", "external_id": "1", "account": "c-buyer", "balance": "1.00"}
    off = {"kind": "account", "external_id": "2", "account": "c-buyer", "services_enabled_at": None}

    report = load({"source": "crm", **coupon}, {"source": "crm", **off})

    [error] = report["errors"]
    assert error["line"] == 2
    assert "End the association first." in error["reason"]
    assert (report["created"], report["updated"]) == (0, 0)
    buyer.refresh_from_db()
    assert buyer.is_enabled
    assert not buyer.coupons.exists()
