"""Started before its database, its cache and its mail server, all waits, or answers 503."""

import time

import pytest
from django.conf import settings

from tests.nodes.cluster import (
    idle_cluster,
    missing_programs,
    start_bouncer,
    start_redis,
    start_worker,
    wait_until,
)

pytestmark = [pytest.mark.nodes, pytest.mark.slow, pytest.mark.postgresql]
RECOVERS_WITHIN = 10


@pytest.fixture
def cluster(tmp_path_factory):
    missing = missing_programs()
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    folder = tmp_path_factory.mktemp("start")
    for parent in (folder.parent, folder.parent.parent):
        parent.chmod(0o755)
    with idle_cluster(folder, settings.DATABASES["default"]) as idle:
        yield idle


def test_web_and_worker_wait_for_what_starts_after_them(cluster):
    [node, _other] = cluster.nodes
    node.start()
    worker = start_worker(cluster, 1)
    log = cluster.folder / "worker1.log"
    wait_until(lambda: node.status("/livez") == 200, "the server does not answer")
    wait_until(lambda: "worker.waiting" in log.read_text(), "the worker does not wait")
    assert [node.status(path) for path in ("/readyz", f"/i/{'2' * 26}")] == [503, 503]

    start_redis(cluster)
    assert node.status("/readyz") == 503
    start_bouncer(cluster)
    # The tables are still missing.
    time.sleep(1)
    assert node.status("/readyz") == 503
    cluster.manage("migrate")
    wait_until(lambda: node.status("/readyz") == 200, "the node is not ready", RECOVERS_WITHIN)
    assert node.status("/join/") == 200
    wait_until(lambda: "worker.resumed" in log.read_text(), "no worker", RECOVERS_WITHIN)

    cluster.manage("add_administrator", "first@example.org")
    time.sleep(2)
    with cluster.mail_server.running():
        wait_until(lambda: bool(cluster.mail_server.mails), "no e-mail", RECOVERS_WITHIN)
    assert cluster.mail_server.recipients == ["first@example.org"]
    # Nothing was started twice.
    assert (node.process.poll(), worker.poll()) == (None, None)
    assert log.read_text().count("worker.started") == 1
