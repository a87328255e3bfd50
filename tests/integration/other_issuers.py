"""Issuers that others wrote, each in a process of its own: oidc-provider-mock and the toolkit's."""

import json
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from accounts.issuers import read_issuers
from tests.integration.toolkit_issuer import CLIENT_ID, CLIENT_SECRET

ROOT = Path(__file__).resolve().parents[2]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(*command, port):
    process = subprocess.Popen(  # noqa: S603 - this project's own interpreter
        [sys.executable, *command], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(port)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_for(port):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("the issuer did not start")


@contextmanager
def mock(claims):
    """Yield the issuer's row in OIDC_PROVIDERS; its page asks for the subject, which is "ada"."""
    port = free_port()
    claims = json.dumps({"sub": "ada", **claims})
    arguments = ["-m", "oidc_provider_mock", "-p", str(port), "--user-claims", claims]
    with running(*arguments, port=port):
        yield {"id": "mock", "issuer": f"http://127.0.0.1:{port}", "client_id": "any"}


@contextmanager
def toolkit(claims):
    """Yield the issuer's row in OIDC_PROVIDERS; it sends its one user back without a page."""
    port = free_port()
    arguments = ["-m", "tests.integration.toolkit_issuer", str(port), json.dumps(claims)]
    issuer = f"http://127.0.0.1:{port}/o"
    with running(*arguments, port=port):
        yield {"id": "toolkit", "issuer": issuer, "client_id": CLIENT_ID}


def configured(row):
    """Return the setting with this issuer, at which one can register too."""
    row = row | {"name": "Other Cloud", "client_secret": CLIENT_SECRET, "registration": True}
    row["claims"] = {"country": "country", "registered_at": "registered_at"}
    return read_issuers(json.dumps([row]), allow_http=True)
