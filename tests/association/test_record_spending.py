"""`manage.py record_spending`: what is recorded, and in the same transaction what follows."""

import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.enums import FreezeCause
from accounts.models import Freeze, Spending
from association.models import Association, Budget, BudgetAlert
from association.services import budget_watch
from association.services.budget_watch import reached_thresholds
from association.services.customers import unfreeze_customer
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from outbox.services.rendering import Stale
from tests import factories as typed_factories
from tests.association.test_spending import associated, budget_of
from tests.reading_mails import links, only_in_text, write

factories: Any = typed_factories

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
NO_AMOUNT = 'amount: Write an amount with at most two decimal places, like "12.50".'
NO_ACCOUNT = "account: There is no customer account with this name or address."
IN_THE_FUTURE = "occurred_at: This moment is in the future. Report it afterwards."
EXHAUSTED = FreezeCause.BUDGET_EXHAUSTED


@pytest.fixture(autouse=True)
def _in_march() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def record(tmp_path: Path) -> Any:
    """Record lines (objects, or bytes as they are) and return the report."""

    def run(*lines: Any, **options: Any) -> Any:
        file = tmp_path / "spending.jsonl"
        raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        file.write_bytes(b"\n".join(raw) + b"\n")
        out = io.StringIO()
        try:
            call_command("record_spending", str(file), "--json", stdout=out, **options)
        except CommandError as error:
            return {**json.loads(out.getvalue()), "error": str(error)}
        return json.loads(out.getvalue())

    return run


@pytest.fixture
def customer() -> Association:
    """A customer with a monthly budget of 100.00 that freezes, unfrozen, with an administrator."""
    association = associated()
    factories.PartnerMemberFactory(partner=association.partner, administrator=True)
    budget_of(association)
    unfreeze_customer(association=association, reason="", by=None, now=NOW)
    OutboxMessage.objects.all().delete()
    return association


def line(association: Association, number: int, amount: str, **changes: Any) -> dict[str, Any]:
    return {
        "source": "billing",
        "external_id": str(number),
        "account": association.account.owner.account_name,
        "amount": amount,
        "occurred_at": "2026-03-19T00:00:00Z",
    } | changes


def counts(report: Any) -> tuple[int, int, int]:
    return report["created"], report["updated"], report["unchanged"]


def alerts() -> list[int]:
    return list(BudgetAlert.objects.order_by("pk").values_list("threshold", flat=True))


def emails() -> list[str]:
    return sorted(OutboxMessage.objects.values_list("kind", flat=True))


def frozen(association: Association) -> list[str]:
    return list(association.account.freezes.open().values_list("cause", flat=True))


@pytest.mark.parametrize(
    ("amount", "used", "reached"),
    [
        ("100.00", "74.99", ()),
        ("100.00", "75.00", (75,)),
        ("100.00", "89.99", (75,)),
        ("100.00", "90.00", (75, 90)),
        ("100.00", "99.99", (75, 90)),
        ("100.00", "100.00", (75, 90, 100)),
        ("100.00", "1000.00", (75, 90, 100)),
        ("0.01", "0.01", (75, 90, 100)),
        ("0.00", "0.00", ()),
        ("0.00", "-1.00", ()),
        ("0.00", "0.01", (75, 90, 100)),
        ("999999999999.99", "999999999999.98", (75, 90)),
    ],
)
def test_thresholds(amount: str, used: str, reached: tuple[int, ...]) -> None:
    assert reached_thresholds(amount=Decimal(amount), used=Decimal(used)) == reached


def test_spending_is_stored_exactly_and_audited(record: Any, customer: Association) -> None:
    stamped = line(customer, 1, "12.5", occurred_at="2026-03-19T09:00:00+09:00", kind="spending")
    assert counts(record(stamped)) == (1, 0, 0)
    row: Any = Spending.objects.get()
    assert (row.account, row.amount, row.occurred_at) == (
        customer.account,
        Decimal("12.50"),
        datetime(2026, 3, 19, tzinfo=UTC),
    )
    assert AuditEvent.objects.filter(object_label="accounts.spending").count() == 1
    event = AuditEvent.objects.order_by("pk").last()
    assert event is not None
    assert (event.action, event.after["amount"]) == ("spending.recorded", "12.50")
    assert (alerts(), emails()) == ([], [])


def test_each_threshold_is_e_mailed_once_to_both_sides(record: Any, customer: Association) -> None:
    both = ["association.budget_alert", "association.customer_budget_alert"]
    record(line(customer, 1, "75"))
    assert (alerts(), emails()) == ([75], both)
    record(line(customer, 2, "10"))
    assert (alerts(), emails()) == ([75], both)
    record(line(customer, 3, "5"))
    assert (alerts(), sorted(emails())) == ([75, 90], sorted(both * 2))
    assert frozen(customer) == []
    record(line(customer, 4, "10"))
    assert (alerts(), frozen(customer)) == ([75, 90, 100], [EXHAUSTED])
    # The customer's e-mail about the freeze says that the budget is used up.
    assert sorted(emails()) == sorted([*both * 2, both[1], "association.frozen"])


def test_customer_is_told_of_a_used_up_budget_that_does_not_freeze(
    record: Any, customer: Association
) -> None:
    customer.budgets.update(on_exhaustion="notify")
    record(line(customer, 1, "100"))
    assert frozen(customer) == []
    told = OutboxMessage.objects.get(kind="association.budget_alert")
    assert told.recipient == customer.account.owner.email
    assert told.data == {"used": "100.00"}


def test_customer_who_is_frozen_already_is_told_of_the_next_used_up_budget(
    record: Any, customer: Association
) -> None:
    record(line(customer, 1, "100"))
    OutboxMessage.objects.all().delete()
    budget = customer.budgets.get()
    budget.replaced_at = timezone.now()
    budget.save()
    customer.budgets.create(
        amount=Decimal(150), period=budget.period, on_exhaustion="freeze", set_at=budget.set_at
    )
    record(line(customer, 2, "50"))
    assert emails() == ["association.budget_alert", "association.customer_budget_alert"]


def test_jump_writes_all_thresholds_and_e_mails_the_highest(
    record: Any, customer: Association
) -> None:
    customer.manager = factories.PartnerMemberFactory(partner=customer.partner)
    customer.save()
    record(line(customer, 1, "10"))
    record(line(customer, 2, "110"))
    assert alerts() == [75, 90, 100]
    told = OutboxMessage.objects.filter(kind="association.customer_budget_alert")
    highest = BudgetAlert.objects.get(threshold=100)
    assert set(told.values_list("about_id", flat=True)) == {str(highest.pk)}
    assert told.count() == 2
    assert [message.data for message in told] == [{"used": "120.00"}] * 2
    to_customer = OutboxMessage.objects.get(kind="association.frozen")
    assert to_customer.recipient == customer.account.owner.email


def test_same_file_again_changes_nothing(record: Any, customer: Association) -> None:
    lines = [line(customer, number, "60") for number in range(2)]
    record(*lines)
    before = [list(m.objects.order_by("pk").values()) for m in (AuditEvent, OutboxMessage, Freeze)]
    assert counts(record(*lines)) == (0, 0, 2)
    after = [list(m.objects.order_by("pk").values()) for m in (AuditEvent, OutboxMessage, Freeze)]
    assert (after, alerts()) == (before, [75, 90, 100])


def test_correction_upwards_alerts_and_downwards_takes_nothing_back(
    record: Any, customer: Association
) -> None:
    record(line(customer, 1, "10"))
    assert counts(record(line(customer, 1, "90"))) == (0, 1, 0)
    assert alerts() == [75, 90]
    record(line(customer, 1, "5"))
    assert (alerts(), len(emails())) == ([75, 90], 2)
    record(line(customer, 1, "95"))
    assert (alerts(), len(emails())) == ([75, 90], 2)


def test_refund_lowers_what_is_used(record: Any, customer: Association) -> None:
    record(line(customer, 1, "80"), line(customer, 2, "-30"))
    assert alerts() == []
    record(line(customer, 3, "20"))
    assert alerts() == []


def test_correction_to_another_account_counts_there(record: Any, customer: Association) -> None:
    other = associated()
    budget_of(other)
    record(line(customer, 1, "50"))
    record(line(other, 1, "100"))
    assert (Spending.objects.get().account, alerts()) == (other.account, [75, 90, 100])
    assert EXHAUSTED in frozen(other)
    assert frozen(customer) == []


def test_refund_taken_away_counts_where_it_was(record: Any, customer: Association) -> None:
    record(line(customer, 1, "80"), line(customer, 2, "-30"))
    record(line(associated(), 2, "-30"))
    assert alerts() == [75]


@pytest.mark.parametrize(("on_exhaustion", "expected"), [("freeze", [EXHAUSTED]), ("notify", [])])
def test_budget_of_nothing_is_used_up_by_anything(
    record: Any, customer: Association, on_exhaustion: str, expected: list[str]
) -> None:
    budget_of(customer, amount="0", on_exhaustion=on_exhaustion)
    record(line(customer, 1, "0"))
    assert (alerts(), frozen(customer)) == ([], [])
    record(line(customer, 2, "0.01"))
    assert (alerts(), frozen(customer)) == ([75, 90, 100], expected)


def test_spending_of_an_earlier_month_does_not_count(record: Any, customer: Association) -> None:
    record(line(customer, 1, "500", occurred_at="2026-02-28T23:59:59Z"))
    assert (alerts(), frozen(customer), emails()) == ([], [], [])


def test_next_month_alerts_again_and_unfreezes_no_account(
    record: Any, customer: Association
) -> None:
    record(line(customer, 1, "100"))
    with time_machine.travel(datetime(2026, 4, 2, tzinfo=UTC), tick=False):
        record(line(customer, 2, "1", occurred_at="2026-04-01T00:00:00Z"))
        assert frozen(customer) == [EXHAUSTED]
        record(line(customer, 3, "79", occurred_at="2026-04-01T00:00:00Z"))
    assert alerts() == [75, 90, 100, 75]


@pytest.mark.parametrize(
    ("time_zone", "occurred_at", "expected"),
    [
        ("Asia/Tokyo", "2026-02-28T14:59:59Z", []),
        ("Asia/Tokyo", "2026-02-28T15:00:00Z", [75]),
        ("America/New_York", "2026-03-01T04:59:59Z", []),
        ("America/New_York", "2026-03-01T05:00:00Z", [75]),
    ],
)
def test_month_is_that_of_the_partner(
    record: Any, customer: Association, time_zone: str, occurred_at: str, expected: list[int]
) -> None:
    customer.partner.time_zone = time_zone
    customer.partner.save()
    record(line(customer, 1, "80", occurred_at=occurred_at))
    assert alerts() == expected


def test_unfrozen_over_the_budget_is_frozen_again_by_the_next_rise_alone(
    record: Any, customer: Association
) -> None:
    record(line(customer, 1, "120"))
    unfreeze_customer(association=customer, reason="", by=None, now=NOW)
    record(line(customer, 2, "7", occurred_at="2026-02-01T00:00:00Z"), line(customer, 3, "-1"))
    assert frozen(customer) == []
    record(line(customer, 4, "1"))
    assert frozen(customer) == [EXHAUSTED]
    assert alerts() == [75, 90, 100]


def test_without_budget_or_association_spending_is_only_recorded(
    record: Any, customer: Association
) -> None:
    Budget.objects.update(replaced_at=NOW)
    alone = factories.CustomerAccountFactory()
    stamped = line(customer, 2, "500", account=alone.owner.email)
    assert counts(record(line(customer, 1, "500"), stamped)) == (2, 0, 0)
    assert (alerts(), emails()) == ([], [])


def test_fault_after_the_spending_leaves_nothing(
    record: Any, customer: Association, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_options: Any) -> None:
        assert Spending.objects.exists()
        raise RuntimeError

    events = AuditEvent.objects.count()
    monkeypatch.setattr(budget_watch, "open_freeze", fail)
    with pytest.raises(RuntimeError):
        record(line(customer, 1, "100"))
    assert (Spending.objects.count(), alerts(), emails()) == (0, [], [])
    assert AuditEvent.objects.count() == events


def test_dry_run_counts_and_writes_nothing(record: Any, customer: Association) -> None:
    assert counts(record(line(customer, 1, "100"), dry_run=True)) == (1, 0, 0)
    assert (Spending.objects.count(), alerts(), emails(), frozen(customer)) == (0, [], [], [])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"amount": "NaN"}, NO_AMOUNT),
        ({"amount": "Infinity"}, NO_AMOUNT),
        ({"amount": "1e309"}, NO_AMOUNT),
        ({"amount": "1,5"}, NO_AMOUNT),
        ({"amount": "0.001"}, NO_AMOUNT),
        ({"amount": 5}, "amount: Write text in quotes."),
        ({"amount": "9" * 20}, "amount: Ensure that there are no more than 14 digits in total."),
        ({"occurred_at": "9999-12-31T23:59:59Z"},
         IN_THE_FUTURE),
        ({"occurred_at": "2026-03-20T12:05:01Z"},
         IN_THE_FUTURE),
        ({"occurred_at": "2026-03-19"},
         'occurred_at: Write a moment with its time zone, like "2026-01-31T09:00:00Z".'),
        ({"kind": "bill"}, "Only spending is recorded here: use import_facts."),
        ({"kind": ["x"]}, "Only spending is recorded here: use import_facts."),
        ({"currency": "EUR"}, "currency: Unknown field."),
        ({"account": "c-nobody"}, NO_ACCOUNT),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_broken_line_gets_its_sentence_and_stops_all(
    record: Any, customer: Association, changes: dict[str, Any], reason: str
) -> None:
    report = record(line(customer, 1, "100"), line(customer, 2, "1") | changes)
    assert report["errors"] == [{"line": 2, "reason": reason}]
    assert report["error"] == "1 of 2 lines are rejected. Nothing was recorded."
    assert (Spending.objects.count(), emails()) == (0, [])


def test_statements_do_not_grow_with_the_lines_nor_with_the_accounts(record: Any) -> None:
    def statements(source: str, customers: list[Association]) -> int:
        lines = [
            line(each, number, "40", source=f"{source}{index}")
            for index, each in enumerate(customers)
            for number in range(2)
        ]
        with CaptureQueriesContext(connection) as captured:
            record(*lines)
        return len(captured)

    few, many = [associated() for _ in range(1)], [associated() for _ in range(3)]
    for association in (*few, *many):
        factories.PartnerMemberFactory(partner=association.partner, administrator=True)
        budget_of(association)
    assert statements("few", few) == statements("many", many) == 16
    assert alerts() == [75] * 4


def test_partner_reads_how_much_is_used(record: Any, customer: Association) -> None:
    record(line(customer, 1, "80"))
    alert = BudgetAlert.objects.get()
    email = write("association.customer_budget_alert", alert, {"used": "80.00"})
    assert email.subject == "75 % of a customer's budget is used"
    assert links(email) == {f"/partner/customers/{customer.pk}/"}
    assert only_in_text(email) == set()
    assert "has used 80.00\N{NO-BREAK SPACE}USD of a budget of 100.00\N{NO-BREAK SPACE}USD" in (
        email.text
    )
    assert customer.account.owner.email not in email.text + email.html
    Budget.objects.update(replaced_at=timezone.now())
    with pytest.raises(Stale, match=r"^budget is replaced$"):
        write("association.customer_budget_alert", alert, {"used": "80.00"})


def test_customer_reads_that_the_budget_is_used_up(record: Any, customer: Association) -> None:
    record(line(customer, 1, "100"))
    freeze = customer.account.freezes.get(cause=EXHAUSTED)
    email = write("association.frozen", freeze)
    assert email.subject == "Your budget is used up – your account is frozen"
    assert only_in_text(email) == set()
    assert "reason" not in email.text
    unfreeze_customer(association=customer, reason="", by=None, now=NOW + timedelta(minutes=1))
    with pytest.raises(Stale, match=r"^no longer frozen$"):
        write("association.frozen", freeze)
