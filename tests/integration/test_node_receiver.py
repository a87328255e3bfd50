"""Webhooks are verified by a program in another language, with a package that is not ours."""

import json
import shutil
import subprocess
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from integration.services.endpoints import rotate_secret
from tests.integration.webhooks import log_of, make_endpoint, publish, work_until_idle

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
PROGRAM = Path(__file__).parent / "node_receiver"
PATIENCE = 60


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The receiver with its package, at the version and hash of its lock file."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("needs Node.js with npm")
    ping = [npm, "ping"]
    if subprocess.run(ping, check=False, capture_output=True, timeout=PATIENCE).returncode:  # noqa: S603
        pytest.skip("needs npm's registry, which does not answer")
    folder = tmp_path_factory.mktemp("receiver") / "program"
    shutil.copytree(PROGRAM, folder)
    install = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    subprocess.run(install, cwd=folder, check=True, timeout=PATIENCE)  # noqa: S603 - our own
    return folder / "receiver.mjs"


@pytest.fixture(autouse=True)
def in_the_demo(settings):
    settings.DEMO = True


@contextmanager
def receiver(program, secret):
    """Run the program with a secret; give its URL, and how to read what it says of a webhook."""
    command = [shutil.which("node"), str(program), secret]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as node:  # noqa: S603
        try:
            port = int(node.stdout.readline())
            yield f"http://127.0.0.1:{port}/hook", lambda: json.loads(node.stdout.readline())
        finally:
            node.terminate()


def test_other_program_verifies_a_webhook_and_reads_its_text(program):
    endpoint, secret = make_endpoint()
    with receiver(program, secret) as (url, seen):
        direct(endpoint, url)
        [event_id] = publish(endpoint.partner)
        work_until_idle()
        received = seen()

    assert log_of(endpoint) == [(event_id, 1, 204, "")]
    assert (received["id"], received["type"]) == (event_id, "budget.set")
    assert received["data"]["reference"] == "é-7"


def test_both_secrets_verify_while_a_secret_is_exchanged_and_then_only_the_new_one(program):
    endpoint, former = make_endpoint()
    now = timezone.now()
    secret = rotate_secret(endpoint=endpoint, by=endpoint.created_by, now=now)
    answers = {}
    for name, known in (("former", former), ("new", secret)):
        with receiver(program, known) as (url, seen):
            direct(endpoint, url)
            publish(endpoint.partner)
            work_until_idle()
            answers[name] = "refused" in seen()
    assert answers == {"former": False, "new": False}

    type(endpoint).objects.update(former_secret_ends_at=now - timedelta(seconds=1))
    with receiver(program, former) as (url, seen):
        direct(endpoint, url)
        publish(endpoint.partner)
        work_until_idle()
        assert seen() == {"refused": "No matching signature found"}
    assert [status for _id, _try, status, _error in log_of(endpoint)] == [204, 204, 401]


def direct(endpoint, url):
    endpoint.url = url
    endpoint.save(update_fields=["url"])
