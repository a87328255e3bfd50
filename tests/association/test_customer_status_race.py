"""Budgets and freezes at once, on PostgreSQL: the status follows both; with a control."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.enums import FreezeScope
from association.enums import CustomerStatus
from association.services.customer_status import refresh_status
from association.services.customers import set_budget
from association.services.invariants.derived_facts import status_is_derived
from association.services.provider_freezes import freeze_for_provider
from partners.enums import BudgetPeriod, OnExhaustion
from tests.factories import UserFactory, make_associated
from tests.lock_waits import wait_until_someone_waits

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


def frozen_by_provider(association):
    freeze_for_provider(
        account=association.account,
        scope=FreezeScope.ACCOUNT,
        reason="Fraud",
        by=UserFactory.create(is_staff=True),
        now=timezone.now(),
    )


def without_the_lock(association):
    """Write the status while another one changes the budget, as it must not be done."""
    refresh_status([association.account_id])


def after_waiting(second, association):
    """Set a budget and unfreeze; meanwhile another connection does the second, which waits."""

    def run():
        try:
            second(association)
        finally:
            connection.close()

    with ThreadPoolExecutor() as threads:
        with transaction.atomic():
            set_budget(
                association=association,
                amount=Decimal(10),
                period=BudgetPeriod.MONTHLY,
                on_exhaustion=OnExhaustion.NOTIFY,
                unfreeze=True,
                by=None,
                now=timezone.now(),
            )
            waiting = threads.submit(run)
            wait_until_someone_waits()
        waiting.result(timeout=10)
    association.refresh_from_db()
    return association.status


def test_a_freeze_that_waited_for_the_budget_sees_it():
    assert after_waiting(frozen_by_provider, make_associated()) == CustomerStatus.FROZEN
    assert list(status_is_derived()) == []


def test_control_without_the_lock_the_former_status_is_written():
    assert after_waiting(without_the_lock, make_associated()) == CustomerStatus.WAITING
    assert [violation.invariant for violation in status_is_derived()] == ["I15"]
