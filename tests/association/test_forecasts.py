"""Until when a budget lasts at the present pace; pure, with no row in the database."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from association.models import Association, Budget
from association.services.forecasts import budget_lasts_until
from partners.models import Partner


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def budget(period: str, amount: str = "100", *, zone: str = "UTC", since: str) -> Budget:
    partner = Partner(time_zone=zone)
    association = Association(partner=partner, associated_at=at(since))
    return Budget(association=association, amount=Decimal(amount), period=period, set_at=at(since))


@pytest.mark.parametrize(
    ("period", "used", "now", "lasts_until"),
    [
        # Half of it in ten days: the other half takes ten days more.
        ("monthly", "50", "2026-03-11T00:00", "2026-03-21T00:00"),
        ("one_time", "50", "2026-01-25T00:00", "2026-02-04T00:00"),
        # Refunds are not spending.
        ("monthly", "-5", "2026-03-11T00:00", None),
        ("monthly", "0", "2026-03-11T00:00", None),
        # Already used up, or more.
        ("monthly", "100", "2026-03-11T00:00", None),
        ("monthly", "101", "2026-03-11T00:00", None),
        # At least a day of the period.
        ("monthly", "50", "2026-03-01T23:59", None),
        ("monthly", "50", "2026-03-02T00:00", "2026-03-03T00:00"),
        # A monthly budget is restored on the first, and not used up when that comes first.
        ("monthly", "50", "2026-03-16T11:59", "2026-03-31T23:58"),
        ("monthly", "50", "2026-03-16T12:00", None),
        # Not further than a year ahead, however small the spending is.
        ("one_time", "50", "2027-01-16T00:00", "2028-01-17T00:00"),
        ("one_time", "50", "2027-01-17T00:00", None),
        ("one_time", "0.01", "2027-01-16T00:00", None),
    ],
)
def test_pace_of_the_present_period_goes_on(
    period: str, used: str, now: str, lasts_until: str | None
) -> None:
    forecast = budget_lasts_until(
        budget(period, since="2026-01-15T00:00"), used=Decimal(used), now=at(now)
    )
    assert forecast == (at(lasts_until) if lasts_until else None)


def test_pace_counts_from_the_association_in_its_first_month() -> None:
    joined = budget("monthly", since="2026-03-09T00:00")
    forecast = budget_lasts_until(joined, used=Decimal(20), now=at("2026-03-11T00:00"))
    assert forecast == at("2026-03-19T00:00")


def test_month_is_the_partners() -> None:
    tokyo = budget("monthly", zone="Asia/Tokyo", since="2026-01-15T00:00")
    forecast = budget_lasts_until(tokyo, used=Decimal(50), now=at("2026-03-15T15:00"))
    # From 28 February, 15:00 UTC to the end of the month in Tokyo.
    assert forecast == at("2026-03-30T15:00")


def test_largest_amounts_have_no_forecast_and_no_error() -> None:
    large = budget("one_time", "999999999999.99", since="2026-01-15T00:00")
    now = at("2026-03-15T00:00")
    assert budget_lasts_until(large, used=Decimal("0.01"), now=now) is None
