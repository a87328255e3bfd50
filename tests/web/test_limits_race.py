"""Limits under parallel load: exactly as many uses as the limit says, in each kind of cache."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection

from web import limits
from web.limits import LimitReached, count_use, uncount_use

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
THREADS, USES, MOST = 12, 10, 40
BACKENDS = "django.core.cache.backends."
CACHES = {
    "in the database": {"BACKEND": f"{BACKENDS}db.DatabaseCache", "LOCATION": "cache"},
    "in memory": {"BACKEND": f"{BACKENDS}locmem.LocMemCache"},
}


@pytest.fixture(params=["as configured", *CACHES])
def counters(request, settings):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "race": (MOST, 600)}
    if request.param in CACHES:
        settings.CACHES = {"default": CACHES[request.param]}
        call_command("createcachetable")
    cache.clear()
    yield request.param
    cache.clear()


def count_at_once(after=lambda: None):
    """Return how many uses were allowed to threads that all begin together."""
    gate = threading.Barrier(THREADS)

    def run(_number):
        gate.wait(timeout=20)
        try:
            return sum(_is_allowed(after) for _ in range(USES))
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(run, range(THREADS)))


def _is_allowed(after):
    try:
        count_use("race", "key")
    except LimitReached:
        return False
    after()
    return True


def uses_left():
    left = 0
    while _is_allowed(lambda: None):
        left += 1
    return left


@pytest.mark.usefixtures("counters")
def test_parallel_uses_reach_exactly_the_limit():
    assert count_at_once() == MOST
    assert uses_left() == 0


@pytest.mark.usefixtures("counters")
def test_uses_taken_back_leave_the_whole_limit():
    count_at_once(after=lambda: uncount_use("race", "key"))
    assert uses_left() == MOST


@pytest.mark.parametrize("counters", ["in the database"], indirect=True)
@pytest.mark.usefixtures("counters")
def test_more_pass_without_the_lock(monkeypatch):
    monkeypatch.setattr(limits, "_one_at_a_time", lambda *_arguments: nullcontext())
    assert count_at_once() > MOST
