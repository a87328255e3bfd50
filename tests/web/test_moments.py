"""Moments on pages."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.utils import timezone

from web.moments import moment_text
from web.templatetags.moments import clock, moment, short_moment

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "shown", "full"),
    [
        (datetime(2026, 1, 5, 6, 54, tzinfo=UTC), "5 Jan, 07:54", "5 January 2026, 07:54 CET"),
        (datetime(2025, 7, 5, 6, 54, tzinfo=UTC), "5 Jul 2025, 08:54", "5 July 2025, 08:54 CEST"),
        # In Berlin the year has begun.
        (
            datetime(2025, 12, 31, 23, 30, tzinfo=UTC),
            "1 Jan, 00:30",
            "1 January 2026, 00:30 CET",
        ),
    ],
)
def test_short_moment_names_another_year_and_says_the_rest_in_its_title(at, shown, full):
    with time_machine.travel(NOW, tick=False), timezone.override("Europe/Berlin"):
        text = short_moment(at)
        iso = timezone.localtime(at).isoformat()

    assert text == f'<time datetime="{iso}" title="{full}">{shown}</time>'


@pytest.mark.parametrize("show", [clock, moment, moment_text, short_moment])
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize("at", [FIRST, LAST])
def test_no_moment_is_too_early_or_too_late_to_be_shown(show, zone, at):
    with timezone.override(zone):
        assert str(at.year) in show(at)
