"""Invariants about budgets, alerts, requests and batches: they hold, and are found when broken."""

from datetime import UTC, timedelta
from typing import Any

import pytest
from django.utils import timezone

from association.models import Association, Budget, BudgetAlert
from association.services.customer_status import refresh_status
from association.services.spending import period_start
from tests import factories as typed_factories
from tests.association.test_invariants import broken, name

factories: Any = typed_factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def budget() -> Budget:
    """A one-time budget of a reseller's customer."""
    now = timezone.now()
    association: Association = factories.make_associated(now=now)
    made = association.budgets.create(
        amount="100", period="one_time", on_exhaustion="notify", set_at=now
    )
    refresh_status([association.account_id])
    return made


def alert(budget: Budget, **changes: Any) -> BudgetAlert:
    now = timezone.now()
    fields = {"threshold": 75, "alerted_at": now, "period_start": period_start(budget, now)}
    return budget.alerts.create(**(fields | changes))


def test_alerts_and_requests_as_they_come_break_nothing(budget: Budget) -> None:
    now = timezone.now()
    alert(budget)
    budget.association.budget_requests.create(asked_at=now, asked_on=now.astimezone(UTC).date())
    assert broken() == set()


def unknown_threshold(budget: Budget) -> Any:
    return alert(budget, threshold=80)


def one_time_alert_of_another_moment(budget: Budget) -> Any:
    return alert(budget, period_start=budget.set_at + timedelta(seconds=1))


def monthly_alert_before_the_association(budget: Budget) -> Any:
    Budget.objects.update(period="monthly")
    since = budget.association.associated_at
    return alert(budget, period_start=since - timedelta(seconds=1))


def monthly_alert_of_a_period_to_come(budget: Budget) -> Any:
    Budget.objects.update(period="monthly")
    return alert(budget, period_start=timezone.now() + timedelta(days=1))


def budget_of_a_referral(_budget: Budget) -> Any:
    invitation = factories.InvitationFactory(referral=True)
    association = factories.make_associated(invitation=invitation)
    return association.budgets.create(
        amount="1", period="monthly", on_exhaustion="notify", set_at=timezone.now()
    )


def request_before_the_association(budget: Budget) -> Any:
    asked_at = budget.association.associated_at - timedelta(days=1)
    return budget.association.budget_requests.create(asked_at=asked_at, asked_on=asked_at.date())


def request_of_another_day(budget: Budget) -> Any:
    now = timezone.now()
    asked_on = (now + timedelta(days=1)).date()
    return budget.association.budget_requests.create(asked_at=now, asked_on=asked_on)


def row_of_another_batch(_budget: Budget) -> Any:
    return factories.BatchRowFactory(invitation=factories.InvitationFactory(email=True))


@pytest.mark.parametrize(
    "break_it",
    [
        unknown_threshold,
        one_time_alert_of_another_moment,
        monthly_alert_before_the_association,
        monthly_alert_of_a_period_to_come,
        budget_of_a_referral,
        request_before_the_association,
        request_of_another_day,
        row_of_another_batch,
    ],
    ids=lambda action: action.__name__,
)
def test_what_is_broken_is_found(budget: Budget, break_it: Any) -> None:
    expected = {("I10", name(break_it(budget)))}
    assert broken() == expected
