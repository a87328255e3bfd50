"""A real Redis that refuses to write, or has broken values: as its own server says it."""

import shutil
import socket
import subprocess
import time

import pytest
import redis
from django.core.cache import cache
from environ import Env

from config.databases import cache_settings
from tests.web.test_redis_faults import assert_unavailable, needing_limits
from web import limits
from web.limits import LimitReached, count_use, uncount_use

PROGRAM = shutil.which("redis-server")
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="needs the program redis-server"),
]
BROKEN = {
    "another type": ("RPUSH", b"x"),
    "a text": ("SET", b"x"),
    "a broken pickle": ("SET", b"\x80\x05broken"),
    "a fraction": ("SET", b"1.5"),
    "a huge number": ("SET", b"9" * 30),
    "below zero": ("SET", b"-1"),
}


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    command = [PROGRAM, "--port", str(number), "--save", "", "--appendonly", "no"]
    folder = tmp_path_factory.mktemp("redis")
    with subprocess.Popen(  # noqa: S603 - Debian's program
        [*command, "--bind", "127.0.0.1", "--dir", str(folder)], stdout=subprocess.DEVNULL
    ) as server:
        with redis.Redis(port=number) as client:
            for _ in range(100):
                try:
                    client.ping()
                    break
                except redis.exceptions.ConnectionError:
                    time.sleep(0.1)
        yield number
        server.terminate()


@pytest.fixture
def server(port, settings, monkeypatch):
    monkeypatch.setenv("CACHE_URL", f"redis://127.0.0.1:{port}")
    settings.CACHES = {"default": cache_settings(Env())}
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "try": (3, 3600)}
    with redis.Redis(port=port) as client:
        yield client
        client.replicaof("NO", "ONE")
        client.config_set("maxmemory", 0)
        client.flushall()
    cache.close()


def test_a_replica_is_503_until_it_is_the_master_again(server):
    server.replicaof("127.0.0.1", "1")
    assert_unavailable(needing_limits())
    server.replicaof("NO", "ONE")
    assert [answer.status_code for answer, _seconds in needing_limits()] == [400, 404, 200]


def test_a_full_server_is_503_until_it_has_memory_again(server):
    server.config_set("maxmemory", 1)
    assert_unavailable(needing_limits())
    server.config_set("maxmemory", 0)
    assert [answer.status_code for answer, _seconds in needing_limits()] == [400, 404, 200]


@pytest.mark.parametrize(("command", "value"), BROKEN.values(), ids=BROKEN)
def test_a_broken_counter_is_begun_again(server, command, value):
    key = cache.make_key(limits._counter("try", "a"))
    server.execute_command(command, key, value)
    uncount_use("try", "a")
    for _ in range(3):
        count_use("try", "a")
    with pytest.raises(LimitReached):
        count_use("try", "a")
    assert 3590 < server.ttl(key) <= 3601


def test_a_broken_value_is_a_missing_one(server):
    server.set(cache.make_key("key"), b"\x80\x05broken")
    assert cache.get("key") is None


def test_one_use_is_one_command(server):
    count_use("try", "a")
    before = server.info("stats")["total_commands_processed"]
    count_use("try", "a")
    uncount_use("try", "a")
    # Each script reads and writes, and the question about the statistics is one more.
    assert server.info("stats")["total_commands_processed"] - before == 2 * 3 + 1
    assert server.info("commandstats")["cmdstat_evalsha"]["calls"] >= 2
