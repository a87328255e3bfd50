"""What one node does, the other one knows at once; stopping one loses no request."""

import json
import re
import shutil
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings

from tests.nodes.browser import Browser
from tests.nodes.cluster import Cluster, missing_programs, running_cluster, wait_until

pytestmark = [pytest.mark.nodes, pytest.mark.slow, pytest.mark.postgresql]
ADDRESS = "new.customer@example.org"
PASSWORD = "a long password of two nodes"
RATE = 50


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    missing = missing_programs()
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    folder = tmp_path_factory.mktemp("nodes")
    # pytest's folders are closed to others, and PgBouncer does not run as root.
    for parent in (folder.parent, folder.parent.parent):
        parent.chmod(0o755)
    with running_cluster(folder, settings.DATABASES["default"]) as running:
        yield running


@pytest.fixture(scope="module")
def people(cluster):
    return json.loads(cluster.manage("demo", "--json"))


def code_in_mail(cluster: Cluster, address: str) -> str:
    def found():
        return [mail for mail in cluster.mail_server.mails if mail["To"] == address]

    wait_until(lambda: bool(found()), "there is no e-mail with a code", 20)
    text = found()[-1].get_body(("plain",)).get_content()
    code = re.search(r"^\s*(\d{6})\s*$", text, re.MULTILINE)
    assert code
    return code[1]


def answers_of_nodes(cluster: Cluster) -> list[int]:
    lines = [node.lines() for node in cluster.nodes]
    return [sum(line.get("event") == "request" for line in found) for found in lines]


def test_journey_that_changes_node_at_every_request(cluster, people):
    before = answers_of_nodes(cluster)
    customer = Browser(cluster)
    customer.get(people["invitations"]["reseller_link"])
    customer.get(re.search(r'href="(/i/[^"]+/instructions)"', customer.page.text)[1])
    assert customer.post(instructions="on").path.endswith("/account")
    assert customer.post(choice="register").path.endswith("/register")
    customer.post("register/code", country="DE", email=ADDRESS)
    code = code_in_mail(cluster, ADDRESS)
    assert customer.post("register/account", code=code, password=PASSWORD).path.endswith("/enable")
    done = customer.post(country="DE", agreement="on")
    assert (done.status, done.path.rpartition("/")[2]) == (200, "done"), done.text
    assert "frozen" in done.text
    after = answers_of_nodes(cluster)
    first, second = (now - then for now, then in zip(after, before, strict=True))
    assert first + second >= 12
    assert abs(first - second) <= 3


def logged_in(cluster, login):
    browser = Browser(cluster)
    browser.get("/account/login/")
    page = browser.post(login=login["login"], password=login["password"])
    assert page.status == 200, page.text
    return browser


def test_revocation_is_seen_at_once_on_both_nodes(cluster, people):
    link = people["invitations"]["referral_link"]
    token = link.rpartition("/")[2]
    for node in cluster.nodes:
        assert [node.status(f"/i/{token}") for _ in range(4)] == [200] * 4
    partner = logged_in(cluster, people["partner"])
    partner.get("/partner/invitations/")
    pages = dict.fromkeys(re.findall(r'href="(/partner/invitations/\d+/)"', partner.page.text))
    revoke = next(page for page in pages if token in partner.get(page).text) + "revoke"
    partner.get(revoke)
    partner.post(revoke)
    dead = [node.status(f"/i/{token}") for node in cluster.nodes for _ in range(4)]
    assert dead == [410] * 8


def test_metrics_are_few_and_promtool_accepts_them(cluster, people):
    [first, _second] = cluster.nodes
    sent = "outbox_waiting_messages 0.0"
    wait_until(lambda: sent in first.metrics(), "the e-mails of the journey are not sent")
    text = first.metrics()
    series = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert 20 <= len(series) <= 80
    for wanted in (
        "http_requests_total{",
        'security_events_total{event="association.made"}',
        sent,
        "outbox_delay_seconds 0.0",
        "lock_statement_duration_seconds_count",
    ):
        assert wanted in text
    assert Browser(cluster).get("/metrics").status == 404
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("needs promtool")
    checked = subprocess.run(  # noqa: S603 - a program of Prometheus
        [promtool, "check", "metrics"], input=text, text=True, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


class Load:
    """Asks for pages at a steady rate from several threads, and counts what failed."""

    def __init__(self, cluster: Cluster, link: str) -> None:
        self.cluster, self.link = cluster, link
        self.stopped = threading.Event()
        self.count, self.failed = 0, list[str]()

    def visit(self, number: int) -> None:
        browser = Browser(self.cluster)
        try:
            page = browser.get(self.link)
            # Every fifth is a form, which nginx must not send twice.
            if number % 5 == 0:
                browser.get("/join/")
                page = browser.post(token="not a token")
            wrong = page.status != (400 if number % 5 == 0 else 200)
        except OSError as error:
            self.failed.append(f"{type(error).__name__}: {error}")
        else:
            if wrong:
                self.failed.append(f"{page.status} {page.path}")

    def run(self) -> None:
        with ThreadPoolExecutor(16) as pool:
            began = time.monotonic()
            while not self.stopped.is_set():
                pool.submit(self.visit, self.count)
                self.count += 1
                time.sleep(max(0, began + self.count / RATE - time.monotonic()))


def failures_of_restarts(cluster: Cluster, link: str, restarts: int) -> list[str]:
    load = Load(cluster, link)
    thread = threading.Thread(target=load.run)
    thread.start()
    time.sleep(2)
    try:
        for number in range(restarts):
            cluster.nodes[number % 2].restart()
    finally:
        load.stopped.set()
        thread.join()
    assert load.count > 10 * restarts
    return load.failed


@pytest.mark.parametrize("restarts", [2, pytest.param(20, marks=pytest.mark.long)])
def test_rolling_restarts_under_load_fail_no_request(cluster, people, restarts):
    assert failures_of_restarts(cluster, people["invitations"]["reseller_link"], restarts) == []


def test_log_ins_without_a_pause_are_kept_from_the_nodes(cluster):
    def send_log_in(number: int) -> str:
        return Browser(cluster).post("/account/login/").text

    # All at once: on a slow machine, one log-in after the other keeps below the proxy's limit.
    with ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(send_log_in, range(60)))
    kept = [text for text in answers if text.startswith("Too many log-ins from your network.")]
    assert 0 < len(kept) < 60
    assert Browser(cluster).get("/account/login/").status == 200


def test_no_log_has_a_secret(cluster, people):
    token = people["invitations"]["reseller_link"].rpartition("/")[2]
    browser = Browser(cluster)
    browser.get(f"/i/{token}?code=654321&next=/secret")
    browser.get(f"/no/such/{ADDRESS}")
    cluster.nodes[0].restart()
    logs = {path.name: path.read_text() for path in Path(cluster.folder).glob("*.log")}
    secrets = [token, token.upper(), ADDRESS, PASSWORD, "654321", people["partner"]["password"]]
    found = [(name, word) for name, text in logs.items() for word in secrets if word in text]
    assert found == []
    proxied = [json.loads(line) for line in logs["proxy.log"].splitlines()]
    assert {line["event"] for line in proxied} == {"proxied"}
    requests = {line["request"] for node in cluster.nodes for line in node.lines()}
    assert proxied[-1]["request"] in requests
