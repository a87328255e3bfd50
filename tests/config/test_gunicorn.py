"""The web server as a process: it loses no connection when it stops, and metrics are off."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings

from tests.nodes.cluster import wait_until
from tests.outbox.mail_server import free_port

pytestmark = pytest.mark.slow
REQUEST = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
WAITING = 8


def environment(tmp_path, **own):
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | {"DEMO": "1", "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}"} | own


@contextmanager
def serving(tmp_path, *options):
    """Serve with one worker; yields the port and the process."""
    port = free_port()
    own = environment(tmp_path, PORT=str(port), WEB_WORKERS="1", WEB_GRACEFUL_TIMEOUT="5")
    command = [sys.executable, "-m", "gunicorn", *options, "-c", "config/gunicorn.conf.py"]
    with subprocess.Popen(  # noqa: S603 - our own program
        [*command, "config.wsgi"], cwd=settings.BASE_DIR, env=own, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_until(lambda: ask(port) == b"HTTP/1.1 200", "the server does not answer")
            yield port, process
        finally:
            process.kill()


def ask(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(REQUEST)
            return answer_of(client)
    except OSError:
        return b""


def answer_of(client):
    try:
        return client.recv(12)
    except OSError:
        return b""


def children_of(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def answers_to_waiting(tmp_path, *options):
    """Stop the server while connections wait to be accepted, and return their answers."""
    with serving(tmp_path, *options) as (port, process):
        [worker] = children_of(process.pid)
        os.kill(worker, signal.SIGSTOP)
        waiting = [socket.create_connection(("127.0.0.1", port)) for _ in range(WAITING)]
        for client in waiting:
            client.settimeout(10)
            client.sendall(REQUEST)
        process.terminate()
        # The main process closes its socket and tells the worker to stop.
        time.sleep(0.5)
        os.kill(worker, signal.SIGCONT)
        answers = [answer_of(client) for client in waiting]
        for client in waiting:
            client.close()
        assert process.wait(20) == 0
        return answers


def test_connections_that_wait_when_the_server_stops_are_answered(tmp_path):
    assert answers_to_waiting(tmp_path) == [b"HTTP/1.1 200"] * WAITING


def test_connections_that_wait_are_lost_by_the_worker_of_gunicorn(tmp_path):
    """The positive control of the test above: without our worker it would fail."""
    assert b"" in answers_to_waiting(tmp_path, "--worker-class", "gthread")


def test_without_a_port_for_metrics_their_library_is_not_loaded(tmp_path):
    program = "import sys, config.wsgi; print('prometheus_client' in sys.modules)"
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program],
        cwd=settings.BASE_DIR,
        env=environment(tmp_path),
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "False\n"
