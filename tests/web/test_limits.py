"""Limits per client network and per key: what is counted, for how long, and what it costs."""

from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache, caches
from django.core.cache.backends.db import DatabaseCache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from web import limits
from web.limits import LimitReached, LimitRefusal, check_limit, clear_limit, count_use, uncount_use
from web.origin import Origin, set_origin

pytestmark = pytest.mark.django_db
IN_MEMORY = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
START = timezone.now().replace(microsecond=0)


@pytest.fixture(autouse=True, params=["as configured", "in memory"])
def three_per_hour(request, settings):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "try": (3, 3600), "other": (1, 60)}
    if request.param == "in memory":
        settings.CACHES = IN_MEMORY
    cache.clear()
    with time_machine.travel(START, tick=False) as clock:
        yield clock
    cache.clear()
    set_origin(Origin())


def uses(count, key="a", action="try"):
    """Return for each of so many uses whether it was allowed."""
    return [is_allowed(key, action) for _ in range(count)]


def is_allowed(key="a", action="try"):
    try:
        count_use(action, key)
    except LimitReached:
        return False
    return True


def test_as_many_uses_as_the_limit_says():
    assert uses(5) == [True] * 3 + [False] * 2


def test_refusal_says_when_the_window_ends(three_per_hour):
    count_use("try", "a")
    three_per_hour.shift(100)
    uses(2)
    with pytest.raises(LimitReached) as caught:
        count_use("try", "a")
    assert (caught.value.code, caught.value.seconds) == (LimitRefusal.TRIED_TOO_OFTEN, 3500)
    assert caught.value.again_at == START + timedelta(hours=1)


def test_next_window_begins_when_the_first_one_ends(three_per_hour):
    uses(3)
    three_per_hour.shift(3599)
    assert uses(1) == [False]
    three_per_hour.shift(1)
    assert uses(4) == [True] * 3 + [False]
    three_per_hour.shift(3599)
    assert uses(1) == [False]


def test_each_key_and_each_action_has_a_count_of_its_own():
    uses(3)
    assert uses(1, key="b") == [True]
    assert uses(2, action="other") == [True, False]


def test_check_counts_nothing():
    for _ in range(5):
        check_limit("try", "a")
    uses(3)
    with pytest.raises(LimitReached):
        check_limit("try", "a")


def test_uses_that_were_refused_are_not_counted():
    uses(9)
    uncount_use("try", "a")
    assert uses(2) == [True, False]


def test_no_more_is_taken_back_than_was_counted(three_per_hour):
    uncount_use("try", "a")
    uses(1)
    for _ in range(3):
        uncount_use("try", "a")
    assert uses(4) == [True] * 3 + [False]
    three_per_hour.shift(3600)
    uncount_use("try", "a")
    assert uses(4) == [True] * 3 + [False]


def test_cleared_limit_begins_again():
    uses(4)
    clear_limit("try", "a")
    assert uses(4) == [True] * 3 + [False]


def test_counter_without_expiry_does_not_block_for_ever():
    """Django's incr() for Redis can leave one, when a key expires within it."""
    cache.set(limits._counter("try", "a"), 7, None)
    assert uses(4) == [True] * 3 + [False]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        (None, "unknown"),
    ],
)
def test_network_that_a_client_counts_with(address, network):
    set_origin(Origin(network_address=address))
    assert limits.client_network() == network


def test_neighbours_in_one_ipv6_network_share_a_count():
    set_origin(Origin(network_address="2001:db8::1"))
    assert uses(3, key=None) == [True] * 3
    set_origin(Origin(network_address="2001:db8::2"))
    assert uses(1, key=None) == [False]
    set_origin(Origin(network_address="2001:db8:0:1::1"))
    assert uses(1, key=None) == [True]


def test_statements(three_per_hour):
    with CaptureQueriesContext(connection) as queries:
        count_use("try", "a")
    in_database = isinstance(caches["default"], DatabaseCache)
    assert bool(queries) == in_database
    uses(3)
    with CaptureQueriesContext(connection) as queries:
        assert not is_allowed()
    assert len(queries) == (1 if in_database else 0)


@pytest.mark.parametrize("value", ["x", b"x", ["x"], None, 1.5, True, -1, 10**30])
def test_a_broken_counter_is_begun_again(value):
    """An older version, or another program, may have left such a value under the same key."""
    count_use("try", "a")
    cache.set(limits._counter("try", "a"), value, 3600)

    check_limit("try", "a")
    uncount_use("try", "a")
    assert uses(5) == [True] * 3 + [False] * 2
