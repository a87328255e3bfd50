"""The whole site in a real browser: its own static files, visitors who are watched, sound data.

Unlike pytest-django's `live_server`, `site` serves the files as in production: collected, hashed
and compressed, by WhiteNoise.
"""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings
from django.test.testcases import LiveServerThread
from playwright.sync_api import BrowserContext

from config import settings as our_settings
from tests.browser.mails import deliver
from tests.browser.visitor import Visitor

HOST = "127.0.0.1"


@pytest.fixture(scope="session")
def served(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """Serve the site for the whole session; return the settings under which it does so."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    changed = {
        "PUBLIC_BASE_URL": f"http://{HOST}:{port}",
        "STATIC_ROOT": tmp_path_factory.mktemp("static"),
        "STORAGES": our_settings.STORAGES
        | {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}},
        "WHITENOISE_AUTOREFRESH": False,
        "WHITENOISE_USE_FINDERS": False,
    }
    thread = LiveServerThread(HOST, lambda application: application, port=port)
    thread.daemon = True
    with override_settings(**changed):
        call_command("collectstatic", interactive=False, verbosity=0)
        thread.start()
        assert thread.is_ready.wait(20)
    assert thread.error is None
    yield changed
    thread.terminate()


@pytest.fixture
def site(served: dict[str, Any], transactional_db: None) -> Iterator[str]:
    """The address of the site; afterwards no rule about the data may be broken."""
    with override_settings(**served):
        yield served["PUBLIC_BASE_URL"]
        deliver()
        assert violations() == []


def violations() -> list[Any]:
    """Return what `check_invariants` finds."""
    answer = StringIO()
    with suppress(SystemExit):
        call_command("check_invariants", "--json", stdout=answer)
    found: list[Any] = json.loads(answer.getvalue())["violations"]
    return found


@pytest.fixture
def new_visitor(
    site: str, new_context: Callable[..., BrowserContext]
) -> Iterator[Callable[..., Visitor]]:
    """Make visitors, each with a browser of their own; afterwards none may have a complaint."""
    visitors: list[Visitor] = []

    def make(**options: Any) -> Visitor:
        context = new_context(**{"base_url": site, "reduced_motion": "reduce", **options})
        context.set_default_timeout(15_000)
        scripts = options.get("java_script_enabled", True)
        visitors.append(Visitor(context, site, scripts=scripts))
        return visitors[-1]

    yield make
    for visitor in visitors:
        visitor.has_no_complaint()


@pytest.fixture
def visitor(new_visitor: Callable[..., Visitor]) -> Visitor:
    """A visitor with a phone's width of window."""
    return new_visitor(viewport={"width": 390, "height": 844})
