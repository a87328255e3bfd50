"""What every test may ask for, and which tests need a part that may be missing."""

import gc
import os
import shutil
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.cache import cache
from django.db import connection

from tests.evidence import let_tests_flush_evidence


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, with the reason, what the database or the missing browser cannot run."""
    if item.get_closest_marker("postgresql") and connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: set DATABASE_URL=postgres://…")
    if item.get_closest_marker("browser") and not chromium():
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("REQUIRE_BROWSER=1, and there is no Chromium.", pytrace=False)
        pytest.skip("needs Chromium: install it, or name it with CHROMIUM_PATH")


def pytest_collection_finish() -> None:
    """Look for garbage seldom, and never among the tests: that took a sixth of their time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def chromium() -> str | None:
    """Return where Chromium is, if it is anywhere."""
    named = os.environ.get("CHROMIUM_PATH")
    if named:
        return shutil.which(named)
    return shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Keep SQLite in a file: in memory all threads would share one connection and transaction."""
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = (
            tmp_path_factory.mktemp("database") / "db.sqlite3"
        )


@pytest.fixture(scope="session", autouse=True)
def _flushing() -> None:
    let_tests_flush_evidence()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Start the machine's own Chromium, and let it talk to nobody but us."""
    # Playwright's loop runs in the thread of the tests; Django would refuse to query in it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    arguments = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-quic",
        "--no-first-run",
    ]
    if os.geteuid() == 0:
        # Chromium's sandbox refuses to be root's.
        arguments.append("--no-sandbox")
    return {**browser_type_launch_args, "executable_path": chromium(), "args": arguments}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """Read the pages in the language in which the tests are written."""
    return {**browser_context_args, "locale": "en-GB", "timezone_id": "UTC"}


@pytest.fixture
def waits_without_limit(settings: Any) -> None:
    """Let requests that queue behind each other all have their turn, on a slow machine too."""
    settings.REQUEST_WAIT_SECONDS = None


@pytest.fixture(autouse=True)
def _empty_cache(request: pytest.FixtureRequest) -> None:
    """Let no limit that one test used up meet the next one.

    The cache's table is rolled back with a test's transaction; tests that commit, and a cache
    outside the database, need emptying.
    """
    if commits(request):
        assert not connection.in_atomic_block, "a test that commits is in a module with a world"
    if "DatabaseCache" not in configured.CACHES["default"]["BACKEND"]:
        cache.clear()
    elif commits(request):
        request.getfixturevalue("transactional_db")
        cache.clear()


def commits(request: pytest.FixtureRequest) -> bool:
    """Return whether the test works with committed rows."""
    marker = request.node.get_closest_marker("django_db")
    if marker and marker.kwargs.get("transaction"):
        return True
    return bool({"transactional_db", "live_server"} & set(request.fixturenames))
