"""What is used of a budget: its period in the partner's time zone, and many budgets at once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from association.models import Association, Budget
from association.services.recipients import customer_recipients, recipients_of_many
from association.services.spending import period_start, spent_of, used_of
from tests import factories as typed_factories

factories: Any = typed_factories

pytestmark = pytest.mark.django_db
KIND = "association.customer_budget_alert"

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def budget_of(association: Association, **fields: Any) -> Budget:
    association.budgets.current().update(replaced_at=timezone.now())
    defaults = {"amount": "100", "period": "monthly", "on_exhaustion": "freeze", "set_at": LONG_AGO}
    return association.budgets.create(**(defaults | fields))


def associated(*, since: datetime = LONG_AGO, **partner: Any) -> Association:
    invitation = factories.InvitationFactory(
        **{f"partner__{name}": value for name, value in partner.items()}
    )
    association: Association = factories.make_associated(invitation=invitation)
    Association.objects.filter(pk=association.pk).update(
        associated_at=since, coupons_pay_before=since
    )
    association.refresh_from_db()
    return association


@pytest.mark.parametrize(
    ("time_zone", "now", "start"),
    [
        ("UTC", "2026-03-01T00:00:00", "2026-03-01T00:00:00"),
        ("UTC", "2026-02-28T23:59:59", "2026-02-01T00:00:00"),
        ("Asia/Tokyo", "2026-03-31T14:59:59", "2026-02-28T15:00:00"),
        ("Asia/Tokyo", "2026-03-31T15:00:00", "2026-03-31T15:00:00"),
        # Daylight saving time began on 8 March: five hours behind before, four after.
        ("America/New_York", "2026-03-01T04:59:59", "2026-02-01T05:00:00"),
        ("America/New_York", "2026-03-31T12:00:00", "2026-03-01T05:00:00"),
        ("America/New_York", "2026-04-01T03:59:59", "2026-03-01T05:00:00"),
        ("America/New_York", "2026-04-01T04:00:00", "2026-04-01T04:00:00"),
        # It ended on 1 November at two o'clock; half past one came twice.
        ("America/New_York", "2026-11-01T06:30:00", "2026-11-01T04:00:00"),
        # The clocks went from midnight to one: the month begins with that instant.
        ("Asia/Amman", "2011-04-15T00:00:00", "2011-03-31T22:00:00"),
        # They went back at one o'clock on the first: the month begins with the first midnight.
        ("America/Havana", "2026-11-01T05:30:00", "2026-11-01T04:00:00"),
    ],
)
def test_month_begins_in_the_time_zone_of_the_partner(time_zone: str, now: str, start: str) -> None:
    budget = budget_of(associated(since=at("2010-01-01T00:00:00"), time_zone=time_zone))
    assert period_start(budget, at(now)) == at(start)


def test_month_does_not_begin_before_the_association() -> None:
    since = at("2026-03-10T12:00:00")
    budget = budget_of(associated(since=since))
    assert period_start(budget, at("2026-03-20T00:00:00")) == since
    assert period_start(budget, at("2026-04-20T00:00:00")) == at("2026-04-01T00:00:00")


def test_one_time_budget_counts_from_when_it_was_set() -> None:
    set_at = at("2026-01-15T00:00:00")
    budget = budget_of(associated(), period="one_time", set_at=set_at)
    assert period_start(budget, at("2026-06-01T00:00:00")) == set_at


def test_used_counts_the_present_period_alone() -> None:
    now, association = at("2026-03-20T00:00:00"), associated()
    for moment, amount in [
        ("2026-02-28T23:59:59", "1000"),
        ("2026-03-01T00:00:00", "10.10"),
        ("2026-03-19T00:00:00", "5.05"),
        ("2026-03-19T00:00:00", "-2.00"),
    ]:
        factories.SpendingFactory(
            account=association.account, occurred_at=at(moment), amount=Decimal(amount)
        )
    factories.SpendingFactory(occurred_at=at("2026-03-19T00:00:00"))
    assert spent_of(budget_of(association), now) == Decimal("13.15")


@pytest.mark.parametrize("count", [1, 3])
def test_used_of_many_budgets_is_one_statement(count: int, django_assert_num_queries: Any) -> None:
    now = timezone.now()
    keys = []
    for number in range(count):
        association = associated(time_zone=["UTC", "Asia/Tokyo", "America/New_York"][number])
        factories.SpendingFactory(
            account=association.account, amount=Decimal(number), occurred_at=now
        )
        keys.append(budget_of(association).pk)
        budget_of(association, period="one_time", set_at=now + timedelta(days=1))
    budgets = list(Budget.objects.select_related("association__partner").order_by("pk"))
    with django_assert_num_queries(1):
        used = used_of(budgets, now)
    assert used == {
        budget.pk: Decimal(keys.index(budget.pk) if budget.pk in keys else 0) for budget in budgets
    }


def test_used_of_no_budget_asks_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert used_of([], timezone.now()) == {}


def test_administrators_and_the_manager_get_a_customers_e_mails() -> None:
    association = associated()
    partner = association.partner
    boss = factories.PartnerMemberFactory(partner=partner, administrator=True)
    factories.PartnerMemberFactory(partner=partner, administrator=True, user__is_active=False)
    manager = factories.PartnerMemberFactory(partner=partner)
    factories.PartnerMemberFactory(partner=partner)
    factories.PartnerMemberFactory(administrator=True)
    assert list(customer_recipients(association, email_kind=KIND)) == [boss.user]
    association.manager = manager
    assert list(customer_recipients(association, email_kind=KIND)) == [boss.user, manager.user]
    association.manager = boss
    assert list(customer_recipients(association, email_kind=KIND)) == [boss.user]


def test_recipients_of_many_are_those_of_each(django_assert_num_queries: Any) -> None:
    associations = [associated(), associated(), associated()]
    for association in associations[:2]:
        partner = association.partner
        factories.PartnerMemberFactory(partner=partner, administrator=True)
        association.manager = factories.PartnerMemberFactory(partner=partner)
    # Not one of this partner's people, though the row names them.
    associations[2].manager = associations[0].manager
    with django_assert_num_queries(1):
        found = recipients_of_many(associations, email_kind=KIND)
    assert found == {
        association.pk: list(customer_recipients(association, email_kind=KIND))
        for association in associations
    }
