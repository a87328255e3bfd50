"""`manage.py import_facts`: idempotent, all or none, and a sentence for every broken line."""

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

from accounts.models import Bill, Contract, Coupon, CustomerAccount, EnterpriseRelation
from accounts.services import fact_lines
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
NO_AMOUNT = 'amount must be an amount in quotes with at most two places, like "12.50".'
NO_ZONE = 'issued_at has no time zone. Write it like "2026-01-31T09:00:00Z".'
NO_MOMENT = 'issued_at is not a moment. Write it like "2026-01-31T09:00:00Z".'
BOM = "The line begins with a byte order mark. Save the file without one."
LINES: dict[str, dict[str, Any]] = {
    "contract": {"contract_type": "offline_direct", "signed_at": "2026-01-01T00:00:00Z"},
    "bill": {"amount": "5", "paid_amount": "0", "issued_at": "2026-01-01T00:00:00Z"},
    "cash_expenditure": {"amount": "5.00", "occurred_at": "2026-01-01T00:00:00Z"},
    "reserved_instance": {"expires_at": "2026-01-01T00:00:00Z", "cancelled_at": None},
    "coupon": {"balance": "-0.10"},
    "resource": {"name": "server", "billing": "pay_per_use", "status": "running"},
    "account": {"country": "FR", "is_internal": True, "services_enabled_at": None},
}


@pytest.fixture(autouse=True)
def buyer() -> CustomerAccount:
    account: CustomerAccount = factories.CustomerAccountFactory(
        owner__account_name="c-buyer", owner__email="buyer@example.org"
    )
    return account


@pytest.fixture
def load(tmp_path: Path) -> Any:
    """Import lines (objects, or bytes as they stand) and return the report."""

    def run(*lines: Any, **options: Any) -> Any:
        file = tmp_path / "facts.jsonl"
        raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        file.write_bytes(b"\n".join(raw) + b"\n")
        out = io.StringIO()
        try:
            call_command("import_facts", str(file), "--json", stdout=out, **options)
        except CommandError as error:
            return {**json.loads(out.getvalue()), "said": str(error)}
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
    assert (account.country.code, account.is_internal) == ("FR", True)


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


def test_one_broken_line_stops_all(load: Any) -> None:
    report = load(BILL, {**BILL, "external_id": "b-2", "amount": 1.5}, b"{", b"", {**BILL})
    assert report["errors"] == [
        {
            "line": 2,
            "reason": NO_AMOUNT,
        },
        {"line": 3, "reason": "The line is not JSON."},
        {"line": 5, "reason": "This is the same as line 1, by source and external id."},
    ]
    assert report["said"] == "3 of 4 lines are broken. Nothing was imported."
    assert (Bill.objects.count(), AuditEvent.objects.count()) == (0, 0)


def raw(**changes: Any) -> bytes:
    return json.dumps({**BILL, **changes}).encode()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"\xff\xfe{\x00", "The line is not UTF-8."),
        (b"\xef\xbb\xbf" + raw(), BOM),
        (b'{"kind": "\x00"}', "The line holds a NUL character."),
        (raw(external_id="a\0b"), "external_id holds a character that is none."),
        (b'{"kind": "bill", "source": "\\ud800"}', "source holds a character that is none."),
        (b"x" * 10_000_000, "The line is longer than 65536 bytes."),
        (b"[" * 60_000, "The line is not JSON."),
        (b"1" * 6_000, "The line is not JSON."),
        (b"[]", "The line is not a JSON object."),
        (b'{"kind": "bill", "kind": "bill"}', "The field kind stands there twice."),
        (b'{"a": {"b": 1, "b": 2}}', "The field b stands there twice."),
        (b'{"amount": NaN}', "NaN is not a value."),
        (b'{"amount": -Infinity}', "-Infinity is not a value."),
        (raw(kind="invoice"), "Unknown kind. Known kinds: contract, bill, cash_expenditure, "
         "reserved_instance, enterprise_relation, coupon, resource, account."),
        (raw(kind="spending"), "Spending counts against budgets: use record_spending."),
        (raw(kind=None), "kind must be text in quotes."),
        (raw(colour="red", **{"\x1b[2J": 1}), "Unknown fields: \\x1b[2J, colour."),
        (raw(id=5), "Unknown fields: id."),
        (raw(account="c-nobody"), "There is no customer account for account."),
        (raw(account="no one@x"), "The account is not given by a name or an e-mail address."),
        (raw(source=""), "source must have 1 to 40 characters."),
        (raw(external_id="x" * 121), "external_id must have 1 to 120 characters."),
        (raw(amount="1.234"), NO_AMOUNT),
        (raw(amount="1e3"), NO_AMOUNT),
        (raw(amount="NaN"), NO_AMOUNT),
        (raw(amount="١٢"), NO_AMOUNT),
        (raw(amount=5), NO_AMOUNT),
        (raw(amount=None), NO_AMOUNT),
        (raw(amount="9" * 13), "amount is too large."),
        (raw(issued_at="2026-01-31T09:00:00"), NO_ZONE),
        (raw(issued_at="2026-02-30T09:00:00Z"), NO_MOMENT),
        (raw(issued_at="0001-01-01T00:00:00+14:00"), NO_MOMENT),
        (raw(issued_at=1.5), "issued_at must be text in quotes."),
        (raw(issued_at=["x"]), "issued_at must be text in quotes."),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_broken_line_gets_its_sentence(load: Any, line: bytes, reason: str) -> None:
    assert load(line)["errors"] == [{"line": 1, "reason": reason}]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"kind": "contract", "contract_type": "handshake"}, "contract_type must be one of: "
         "offline_direct, telemarketing_discount, special_offer_direct, professional_services."),
        ({"kind": "bill", "amount": "1", "paid_amount": "1"}, "issued_at is missing."),
        ({"kind": "account", "country": "XX"}, "country must be a country code of two letters."),
        ({"kind": "account", "is_internal": "yes"}, "is_internal must be true or false."),
        ({"kind": "account", "owner": "x"}, "Unknown fields: owner."),
        ({"kind": "enterprise_relation", "master": "c-buyer", "accounting": "unified",
          "member_type": "cloud_account"}, "master and member are the same account."),
        ({"kind": "enterprise_relation", "master": "buyer@example.org", "accounting": "unified",
          "member_type": "cloud_account"}, "master and member are the same account."),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_broken_field_gets_its_sentence(load: Any, fields: dict[str, Any], reason: str) -> None:
    line = {"source": "crm", "external_id": "x", "account": "c-buyer", **fields}
    assert load(line)["errors"] == [{"line": 1, "reason": reason}]


def test_account_said_twice_is_refused(load: Any) -> None:
    line = {"kind": "account", "source": "crm", "account": "c-buyer", "is_internal": True}
    report = load(
        {**line, "external_id": "1"}, {**line, "external_id": "2", "account": "buyer@example.org"}
    )
    assert [error["line"] for error in report["errors"]] == [2]


def test_dry_run_counts_and_writes_nothing(load: Any) -> None:
    assert counts(load(BILL, dry_run=True)) == (1, 0, 0)
    assert (Bill.objects.count(), AuditEvent.objects.count()) == (0, 0)


def test_fact_of_one_source_is_not_that_of_another(load: Any) -> None:
    load(BILL, {**BILL, "source": "other", "amount": "7"})
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

    assert statements("few", 3) == statements("many", 100) == 7
    assert Coupon.objects.count() == 103


def test_more_than_one_batch_is_imported(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.services.line_files.BATCH", 2)
    lines = [{**BILL, "external_id": str(number)} for number in range(5)]
    assert counts(load(*lines)) == (5, 0, 0)
    again = load(*lines, {**lines[0], "amount": "1"})
    assert [error["line"] for error in again["errors"]] == [6]


def test_file_that_is_not_there_is_a_sentence() -> None:
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
    said = io.StringIO()
    with pytest.raises(CommandError):
        call_command("import_facts", str(file), stderr=said)
    assert (
        said.getvalue() == "Line 1: The line is not JSON.\nLine 3: The line is not a JSON object.\n"
    )


def test_every_kind_of_fact_can_be_read() -> None:
    readable = {kind: fact_lines.fact_fields(model) for kind, model in fact_lines.FACTS.items()}
    assert all(
        any(isinstance(model._meta.get_field(name), kind) for kind, _read in fact_lines.READERS)
        for model, names in ((fact_lines.FACTS[k], v) for k, v in readable.items())
        for name in names
    )
    assert Contract in fact_lines.FACTS.values()
