"""Two files for one account at the same time on PostgreSQL, with the positive control."""

import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import models, transaction
from django.utils import timezone

from accounts.enums import FreezeCause
from accounts.models import Freeze, Spending
from association.models import BudgetAlert
from association.services import budget_watch, spending_records
from association.services.spending_records import record_spending
from outbox.models import OutboxMessage
from tests import factories as typed_factories
from tests.association.test_races import PATIENCE, at_once
from tests.association.test_spending import associated, budget_of

factories: Any = typed_factories

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


def account_name() -> str:
    """The name of a customer with a budget of 100.00 and an administrator who gets e-mails."""
    with transaction.atomic():
        association = associated()
        factories.PartnerMemberFactory(partner=association.partner, administrator=True)
        budget_of(association)
    OutboxMessage.objects.all().delete()
    name: str = association.account.owner.account_name
    return name


def record(lines: list[tuple[str, str, str]]) -> int:
    now = timezone.now()
    fields = ("external_id", "account", "amount")
    stamped = {"source": "billing", "occurred_at": (now - timedelta(minutes=1)).isoformat()}
    report = record_spending(
        lines=[stamped | dict(zip(fields, row, strict=True)) for row in lines], now=now
    )
    assert report.errors == []
    return report.created


def outcome() -> tuple[list[int], int, int]:
    """The alerts, the freezes for a budget used up, the e-mails to the customer."""
    return (
        sorted(BudgetAlert.objects.values_list("threshold", flat=True)),
        Freeze.objects.filter(cause=FreezeCause.BUDGET_EXHAUSTED).count(),
        OutboxMessage.objects.filter(kind="association.frozen").count(),
    )


def test_two_files_for_one_account_alert_and_freeze_once() -> None:
    name = account_name()
    assert at_once(record, [[("1", name, "60")], [("2", name, "60")]]) == [1, 1]
    assert outcome() == ([75, 90, 100], 1, 1)


def test_ten_files_that_each_use_it_up_alert_and_freeze_once() -> None:
    name = account_name()
    assert at_once(record, [[(str(n), name, "100")] for n in range(10)]) == [1] * 10
    assert outcome() == ([75, 90, 100], 1, 1)


def test_the_same_file_twice_at_once_is_recorded_once() -> None:
    name = account_name()
    assert sorted(at_once(record, [[("1", name, "60")]] * 2)) == [0, 1]
    assert list(Spending.objects.values_list("amount", flat=True)) == [Decimal("60.00")]


def test_files_that_name_accounts_in_another_order_do_not_lock_each_other_out() -> None:
    names = [account_name() for _ in range(4)]
    lines = [(name, name, "60") for name in names]
    mirrored = [(f"again {name}", name, "60") for name in reversed(names)]
    assert at_once(record, [lines, mirrored]) == [4, 4]
    assert outcome() == ([75] * 4 + [90] * 4 + [100] * 4, 4, 4)


def test_files_that_name_the_same_spending_for_different_accounts_wait_for_each_other() -> None:
    names = [account_name() for _ in range(4)]
    keys = [str(number) for number in range(40)]
    one = [(key, names[number % 2], "1") for number, key in enumerate(keys)]
    other = [(key, names[2 + number % 2], "1") for number, key in enumerate(reversed(keys))]
    assert sorted(at_once(record, [one, other, one, other])) == [0, 0, 0, 40]
    assert Spending.objects.count() == 40


def test_control_without_the_locks_no_alert_says_that_it_is_used_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = threading.Barrier(2)
    watch = budget_watch.watch_budgets

    def wait_and_watch(**options: Any) -> None:
        gate.wait(timeout=PATIENCE)
        watch(**options)
        gate.wait(timeout=PATIENCE)

    monkeypatch.setattr(spending_records, "watch_budgets", wait_and_watch)
    monkeypatch.setattr(
        models.QuerySet, "select_for_update", lambda rows, *args, **options: rows.all()
    )
    name = account_name()
    assert at_once(record, [[("1", name, "60")], [("2", name, "60")]]) == [1, 1]
    assert outcome() == ([], 0, 0)
