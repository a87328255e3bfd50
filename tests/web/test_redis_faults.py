"""A Redis that refuses, is slow or answers nonsense: 503 in time, and only where it is needed."""

import time

import pytest
from django.core.cache import cache
from django.test import Client
from environ import Env
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from config.databases import cache_settings
from tests.factories import InvitationFactory
from tests.web.fake_redis import serving
from web import errors

pytestmark = pytest.mark.django_db
REFUSALS = {
    "replica": b"-READONLY You can't write against a read only replica.\r\n",
    "no memory": b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
    "wrong type": b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
    "no log-in": b"-NOAUTH Authentication required.\r\n",
    "no permission": b"-NOPERM this user has no permissions to run the command\r\n",
    "loading": b"-LOADING Redis is loading the dataset in memory\r\n",
    "busy": b"-BUSY Redis is busy running a script.\r\n",
    "cluster down": b"-CLUSTERDOWN The cluster is down\r\n",
    "master down": b"-MASTERDOWN Link with MASTER is down\r\n",
    "disk full": b"-MISCONF Errors writing to disk\r\n",
    "moved": b"-MOVED 3999 127.0.0.1:1\r\n",
    "unknown error": b"-ERR something else\r\n",
    "nonsense": b"hello\r\n",
}
PATIENCE = 3


@pytest.fixture
def server(settings, monkeypatch):
    with serving() as fake:
        monkeypatch.setenv("CACHE_URL", fake.url)
        settings.CACHES = {"default": cache_settings(Env())}
        yield fake
        cache.close()


@pytest.fixture
def links():
    return [f"/i/{InvitationFactory.create(**traits).token}" for traits in ({}, {"revoked": True})]


def visit(method, address, data=None):
    """Return the answer and how long it took."""
    begun = time.monotonic()
    answer = getattr(Client(raise_request_exception=False), method)(address, data)
    return answer, time.monotonic() - begun


def log_in():
    return visit("post", "/account/login/", {"login": "ann@example.com", "password": "x" * 12})


def needing_limits():
    return [log_in(), visit("get", f"/i/{'z' * 26}"), visit("get", "/readyz")]


def assert_unavailable(answers):
    assert [answer.status_code for answer, _seconds in answers] == [503] * len(answers)
    assert {answer["Retry-After"] for answer, _seconds in answers} == {"10"}
    assert max(seconds for _answer, seconds in answers) < PATIENCE


def test_a_server_that_is_well_is_used(server):
    # A wrong log-in, an unknown link, readiness.
    assert [answer.status_code for answer, _seconds in needing_limits()] == [400, 404, 200]


@pytest.mark.parametrize("also_handshake", [False, True])
@pytest.mark.parametrize("answer", REFUSALS.values(), ids=REFUSALS)
def test_refusals_are_503_where_limits_are_needed(server, links, answer, also_handshake):
    server.answer, server.also_handshake = answer, also_handshake
    assert_unavailable(needing_limits())
    live, dead = (visit("get", link)[0].status_code for link in links)
    assert (live, dead) == (200, 410)


def test_without_the_list_of_errors_a_refusal_is_500(server, monkeypatch):
    away = (RedisConnectionError, RedisTimeoutError)
    monkeypatch.setattr(errors, "UNAVAILABLE", away)
    server.answer = REFUSALS["replica"]
    assert log_in()[0].status_code == 500


def test_the_server_is_used_again_as_soon_as_it_is_well(server):
    server.answer = REFUSALS["loading"]
    assert_unavailable(needing_limits())
    server.answer = None
    assert [answer.status_code for answer, _seconds in needing_limits()] == [400, 404, 200]


@pytest.mark.slow
@pytest.mark.parametrize("pauses", [(0.7, 0), (0, 0.4)], ids=["each answer", "each byte"])
def test_slow_answers_add_up_to_a_503_in_time(server, links, pauses):
    server.pause, server.pause_between_bytes = pauses
    assert_unavailable(needing_limits())
    for link, status in zip(links, (200, 410), strict=True):
        answer, seconds = visit("get", link)
        assert answer.status_code == status
        assert seconds < 1


@pytest.mark.slow
def test_without_the_limit_slow_answers_take_longer(server, settings):
    settings.REQUEST_WAIT_SECONDS = None
    server.pause = 0.7
    answer, seconds = log_in()
    assert answer.status_code == 400
    assert seconds > PATIENCE
