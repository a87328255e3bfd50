"""The tests' own database of Redis beside the one that CACHE_URL names."""

import os
import subprocess
import sys

import pytest

from config.redis_locations import redis_location

HOST = "redis://127.0.0.1:6379"


@pytest.mark.parametrize(
    ("location", "databases"),
    [
        (HOST, ["/1", "/2"]),
        (f"{HOST}/", ["/1", "/2"]),
        (f"{HOST}/0", ["/0", "/1"]),
        (f"{HOST}/2", ["/2", "/3"]),
        (f"{HOST}/2?socket_timeout=3", ["/2?socket_timeout=3", "/3?socket_timeout=3"]),
        (f"{HOST}?db=4", ["/4", "/5"]),
    ],
)
def test_each_process_has_the_next_database(location, databases):
    assert [redis_location(location, number) for number in (0, 1)] == [
        HOST + database for database in databases
    ]


def test_name_password_and_several_servers_are_kept():
    two = ["rediss://ann:se%40cret@a:1/7", "rediss://b:2/7"]
    assert redis_location(two, 1) == ["rediss://ann:se%40cret@a:1/8", "rediss://b:2/8"]


@pytest.mark.parametrize(
    ("url", "location"),
    [
        (f"{HOST}/2", f"{HOST}/4"),
        (f"{HOST}/2?socket_timeout=3", f"{HOST}/4"),
        (HOST, f"{HOST}/3"),
    ],
)
def test_settings_of_the_tests_use_it(url, location):
    code = "from config.settings_test import CACHES; print(CACHES['default']['LOCATION'])"
    environment = {**os.environ, "CACHE_URL": url, "PYTEST_XDIST_WORKER": "gw2"}
    done = subprocess.run(  # noqa: S603 - our own settings
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == location
