"""`manage.py record_spending --format focus`: sums by account and day, restated days, bad files."""

import gzip
import io
import json
import tracemalloc
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.enums import FreezeCause
from accounts.models import Spending
from association.models import BudgetAlert
from association.services import focus_costs
from association.services.customers import unfreeze_customer
from association.services.focus_costs import record_focus_costs
from audit.models import AuditEvent
from tests.association.test_spending import associated, budget_of

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
HEADER = (
    "BilledCost,BillingCurrency,ChargeCategory,ChargeClass,ChargePeriodEnd,"
    "ChargePeriodStart,ServiceName,SubAccountId"
)
ROW = {
    "cost": "1.5",
    "currency": "USD",
    "category": "Usage",
    "class": "",
    "end": "2026-03-19T01:00:00Z",
    "start": "2026-03-19T00:00:00Z",
    "service": '"Disks, fast"',
    "account": "/subscriptions/1",
}
NO_MOMENT = 'Write a moment with its zone, like "2026-01-31T09:00:00Z".'


@pytest.fixture(autouse=True)
def _in_march():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def customer():
    """A customer that the provider knows as /subscriptions/1, with 100.00 a month, unfrozen."""
    association = associated()
    association.account.external_id = "/subscriptions/1"
    association.account.save()
    budget_of(association)
    unfreeze_customer(association=association, reason="", by=None, now=NOW)
    return association


def row(**changes):
    return ",".join({**ROW, **changes}.values())


def costs(*rows, header=HEADER):
    return "\n".join([header, *rows, ""]).encode()


@pytest.fixture
def record(tmp_path):
    def run(content, **options):
        file = tmp_path / "costs.csv"
        file.write_bytes(content)
        out = io.StringIO()
        options = {"format": "focus", "stdout": out, **options}
        try:
            call_command("record_spending", str(file), "--json", **options)
        except CommandError as error:
            return {**json.loads(out.getvalue()), "error": str(error)}
        return json.loads(out.getvalue())

    return run


def counts(report):
    return report["created"], report["updated"], report["unchanged"]


def stored():
    return list(Spending.objects.order_by("occurred_at").values_list("occurred_at", "amount"))


def day(number):
    return datetime(2026, 3, number, tzinfo=UTC)


def test_rows_are_summed_exactly_by_account_and_day(record, customer):
    report = record(
        costs(
            row(cost="0.1"),
            row(cost="0.2", start="2026-03-19T23:00:00Z", end="2026-03-20T00:00:00Z"),
            # One o'clock in Berlin is the day before in UTC.
            row(cost="1", start="2026-03-19T00:30:00+01:00"),
            row(cost="1e-3", category="Purchase"),
            row(cost="0.004", category="Tax"),
            row(cost="-0.05", category="Credit", **{"class": "Correction"}),
            row(cost="123456789012345678901234567890"[:12], category="Adjustment"),
            row(cost="-123456789012", category="Adjustment"),
        )
    )
    assert (counts(report), report["lines"], report["without_account"]) == ((2, 0, 0), 8, 0)
    # 0.1 + 0.2 + 0.001 + 0.004 - 0.05 = 0.255, half a cent away from nothing.
    assert stored() == [(day(18), Decimal("1.00")), (day(19), Decimal("0.26"))]
    assert set(Spending.objects.values_list("account", flat=True)) == {customer.account_id}


def test_the_same_file_again_changes_nothing(record):
    content = costs(row(cost="80"), row(cost="1", start="2026-03-18T00:00:00Z"))
    record(content)
    before = [list(model.objects.values()) for model in (Spending, AuditEvent, BudgetAlert)]
    assert counts(record(content)) == (0, 0, 2)
    after = [list(model.objects.values()) for model in (Spending, AuditEvent, BudgetAlert)]
    assert after == before


def test_restated_day_corrects_the_earlier_one(record, customer):
    record(costs(row(cost="20"), row(cost="5", start="2026-03-18T00:00:00Z")))
    assert counts(record(costs(row(cost="70")))) == (0, 1, 0)
    assert stored() == [(day(18), Decimal("5.00")), (day(19), Decimal("70.00"))]
    assert list(BudgetAlert.objects.values_list("threshold", flat=True)) == [75]

    record(costs(row(cost="100")))
    is_open = customer.account.freezes.open()
    assert [row.cause for row in is_open] == [FreezeCause.BUDGET_EXHAUSTED]
    # Less than was stated: as with a refund, alerts and freezes stay (decision 0008).
    record(costs(row(cost="1")))
    assert stored()[1] == (day(19), Decimal("1.00"))
    assert is_open.count() == 1


def test_day_stays_one_when_the_account_gets_another_external_id(record, customer):
    record(costs(row(cost="20")))
    customer.account.external_id = "new"
    customer.account.save()
    assert counts(record(costs(row(cost="20", account="new")))) == (0, 0, 1)


def test_two_sources_do_not_correct_each_other(record):
    record(costs(row(cost="20")))
    assert counts(record(costs(row(cost="3")), source="marketplace")) == (1, 0, 0)
    assert sum(amount for _day, amount in stored()) == 23


def test_parts_of_an_export_are_read_one_after_the_other(record):
    assert counts(record(b"\xef\xbb\xbf" + costs(row(), HEADER, "", row()))) == (1, 0, 0)
    assert stored() == [(day(19), Decimal("3.00"))]


@pytest.mark.parametrize("null", ["", "NULL", "null"])
def test_rows_of_no_sub_account_are_left_out_and_counted(record, null):
    report = record(costs(row(account=null), row(**{"class": null})))
    assert (counts(report), report["without_account"]) == ((1, 0, 0), 1)


def test_dry_run_writes_nothing(record):
    assert counts(record(costs(row()), dry_run=True)) == (1, 0, 0)
    assert stored() == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cost": ""}, 'BilledCost: Write a number, like "0.0125".'),
        ({"cost": "1;5"}, 'BilledCost: Write a number, like "0.0125".'),
        ({"cost": "$1"}, 'BilledCost: Write a number, like "0.0125".'),
        ({"cost": "NaN"}, 'BilledCost: Write a number, like "0.0125".'),
        ({"cost": "1e99"}, "BilledCost: The number is too large or too small."),
        ({"cost": "1e-99"}, "BilledCost: The number is too large or too small."),
        ({"cost": "1000000000000"}, "BilledCost: The number is too large or too small."),
        ({"currency": "EUR"}, "BillingCurrency: Amounts are in USD."),
        ({"category": "Fee"},
         "ChargeCategory: Write one of: Usage, Purchase, Tax, Credit, Adjustment."),
        ({"class": "Refund"}, "ChargeClass: Write one of: Correction."),
        ({"start": "2026-03-19"}, f"ChargePeriodStart: {NO_MOMENT}"),
        ({"start": "2026-03-19 00:00:00"}, f"ChargePeriodStart: {NO_MOMENT}"),
        ({"end": "soon"}, f"ChargePeriodEnd: {NO_MOMENT}"),
        ({"end": "2026-03-19T00:00:00Z"}, "ChargePeriodEnd: It must be after ChargePeriodStart."),
        ({"start": "2026-03-20T12:06:00Z", "end": "2026-03-20T13:00:00Z"},
         "ChargePeriodStart: This moment is in the future. Report it afterwards."),
        ({"account": "/subscriptions/2"},
         "SubAccountId: There is no customer account with this external id."),
        ({"account": "/subscriptions/\u200b1"},
         "SubAccountId: There is no customer account with this external id."),
        ({"account": "x,y"}, "The line has 9 columns, the first one 8."),
        ({"service": '"a"b'}, "The line is not CSV: ',' expected after '\"'."),
        ({"cost": "", "currency": ""},
         'BilledCost: Write a number, like "0.0125". BillingCurrency: Amounts are in USD.'),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_bad_row_is_reported_and_nothing_is_written(record, changes, reason):
    report = record(costs(row(), row(service='"two\nlines"'), row(**changes)))
    assert report["errors"] == [{"line": 5, "reason": reason}]
    assert stored() == []


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b"", 1, "The first line must name each of these columns once: BilledCost, BillingCurrency,"
         " ChargeCategory, ChargeClass, ChargePeriodStart, ChargePeriodEnd, SubAccountId."),
        (costs(header=HEADER.replace("SubAccountId", "BilledCost")), 1,
         "The first line must name each of these columns once: BilledCost, SubAccountId."),
        (costs().replace(b"\n", b",\xff\n"), 1, "The line is not UTF-8."),
        (costs(row(service="\0")), 2, "The line has a null character."),
        (costs(row(service="x" * 70_000)), 2, "The line is longer than 65536 bytes."),
        (b"PK\x03\x04\n", 1, "The first line must name each of these columns once: BilledCost, "
         "BillingCurrency, ChargeCategory, ChargeClass, ChargePeriodStart, ChargePeriodEnd, "
         "SubAccountId."),
    ],
    ids=["empty", "column twice", "encoding", "null", "long", "another format"],
)  # fmt: skip
def test_file_that_cannot_be_read_is_reported(record, content, line, reason):
    assert record(content)["errors"] == [{"line": line, "reason": reason}]


def test_quote_that_is_never_closed_is_reported_without_reading_everything(record):
    report = record(costs(row(service='"'), *[row(service="x")] * 3_000))
    [error] = report["errors"]
    assert error["reason"].startswith("The line is not CSV: field larger than field limit")


def test_unknown_accounts_are_named_beside_other_errors(record):
    content = costs(
        row(),
        row(account="/nope"),
        row(account="/nope", cost="x"),
        row(account="/none", currency="EUR"),
    )
    unknown = "SubAccountId: There is no customer account with this external id."
    report = record(content)
    assert report["errors"] == [
        {"line": 3, "reason": unknown},
        {"line": 4, "reason": 'BilledCost: Write a number, like "0.0125".'},
        {"line": 5, "reason": f"BillingCurrency: Amounts are in USD. {unknown}"},
    ]
    assert report["error"] == "3 of 4 lines are rejected. Nothing was recorded."


def test_errors_of_a_sum_name_its_first_line(record):
    most = row(cost="999999999999.99")
    report = record(costs(row(start="2026-03-18T00:00:00Z"), most, most))
    text = "Ensure that there are no more than 14 digits in total."
    assert report["errors"] == [{"line": 3, "reason": f"BilledCost: {text}"}]


def test_reading_stops_after_many_errors(record, monkeypatch):
    monkeypatch.setattr(focus_costs, "MOST_ERRORS", 2)
    report = record(costs(*[row(cost="x")] * 5))
    assert [error["line"] for error in report["errors"]] == [2, 3, 4]
    assert report["errors"][2]["reason"] == "The lines from here on were not read."


def test_text_report_names_rows_that_were_left_out(tmp_path):
    (tmp_path / "costs.csv").write_bytes(costs(row(), row(account="")))
    out = io.StringIO()
    call_command("record_spending", str(tmp_path / "costs.csv"), format="focus", stdout=out)
    assert out.getvalue() == (
        "Spending created: 1, updated: 0, unchanged: 0.\nRows of no sub account, left out: 1.\n"
    )


def test_text_report_says_that_a_file_has_no_rows(tmp_path):
    (tmp_path / "costs.csv").write_bytes(costs())
    out = io.StringIO()
    call_command("record_spending", str(tmp_path / "costs.csv"), format="focus", stdout=out)
    assert out.getvalue() == (
        "Spending created: 0, updated: 0, unchanged: 0.\nThe file has no rows below its header.\n"
    )


def test_compressed_file_is_named_as_such(record):
    report = record(gzip.compress(costs(row())))
    assert [error["reason"] for error in report["errors"]] == [
        "The file is compressed by gzip. Unpack it first."
    ]


def test_memory_grows_with_days_not_with_rows():
    def lines(number):
        yield HEADER.encode() + b"\n"
        one = row(cost="0.01").encode() + b"\n"
        for _ in range(number):
            yield one

    def peak(number):
        tracemalloc.start()
        try:
            report = record_focus_costs(lines=lines(number), now=timezone.now(), dry_run=True)
            assert (report.errors, report.lines) == ([], number)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)
    assert peak(20_000) < peak(2_000) + 100_000
