"""What an issuer that never answers costs the other pages, beside log-ins that are begun."""

import json
import os
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

from django.utils import timezone

from benchmarks import pages
from benchmarks.associations import make_partner
from benchmarks.journey import CSRF
from partners.enums import AssociationType
from partners.services.invitations import create_links

ROUNDS = 3
LINKS = 5_000
# People who begin a log-in, each again a second after the last answer.
PEOPLE = 12
PORT = 8467
HANGING = {
    "id": "hanging",
    "name": "Hanging",
    "client_id": "bench",
    "issuer": f"http://127.0.0.1:{PORT}",
}
# Between rounds, so that no thread of the server still waits for the issuer.
PAUSE_SECONDS = 6


@contextmanager
def hanging_issuer() -> Iterator[None]:
    """Accept every connection and answer none; each one is closed when the block ends."""
    with socket.create_server(("127.0.0.1", PORT), backlog=128) as server:
        kept: list[socket.socket] = []

        def accept() -> None:
            try:
                while True:
                    kept.append(server.accept()[0])
            except OSError:
                return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield
        # Wakes the thread up, which would wait for the next connection for ever.
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in kept:
            connection.close()


@contextmanager
def beginning_log_ins() -> Iterator[list[tuple[int, float]]]:
    """Begin log-ins until the block ends; yield status and seconds of each, as they come."""
    answers: list[tuple[int, float]] = []
    over = threading.Event()

    def begin(number: int) -> None:
        while not over.wait(1):
            answers.append(start_log_in(number))

    people = [threading.Thread(target=begin, args=[number]) for number in range(PEOPLE)]
    for person in people:
        person.start()
    try:
        yield answers
    finally:
        over.set()
        for person in people:
            person.join()


def start_log_in(number: int) -> tuple[int, float]:
    """Press the button of the log-in page; return the status and how many seconds it took."""
    began = time.monotonic()
    client = HTTPConnection("127.0.0.1", pages.PORTS["site"], timeout=60)
    fields = {"purpose": "log_in", "csrfmiddlewaretoken": CSRF}
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": f"csrf={CSRF}",
        "X-Forwarded-For": f"10.{number}.{time.monotonic_ns() % 256}.1",
    }
    client.request("POST", "/account/issuers/hanging/start", urlencode(fields), headers)
    status = client.getresponse().status
    client.close()
    return status, time.monotonic() - began


def make_landing_pages() -> list[str]:
    """Return the addresses of new invitations."""
    links = create_links(
        count=LINKS,
        partner=make_partner(),
        association_type=AssociationType.RESELLER,
        label="{n}",
        by=None,
        now=timezone.now(),
    )
    return [f"/i/{link.token}" for link in links]


def measure() -> Iterator[str]:
    """Yield the lines of the report: the landing page's rate, quiet and beside log-ins, in turn."""
    links = make_landing_pages()
    quiet: list[float] = []
    beside: list[float] = []
    answers: list[tuple[int, float]] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        hanging_issuer(),
        pages.serving_as_in_production(OIDC_PROVIDERS=json.dumps([HANGING])) as pid,
    ):
        addresses = Path(folder, "landing")
        addresses.write_text("\n".join(links) + "\n")
        with urlopen(f"http://127.0.0.1:{pages.PORTS['site']}{links[0]}"):
            # Raises where the page is not answered 200: without `collectstatic`, for example.
            pages.load(pid, "site", addresses)
        for _ in range(ROUNDS):
            quiet.append(pages.load(pid, "site", addresses)["rate"])
            with beginning_log_ins() as answered:
                time.sleep(2)
                beside.append(pages.load(pid, "site", addresses)["rate"])
            answers += answered
            time.sleep(PAUSE_SECONDS)
    yield from report(quiet, beside, answers)


def report(
    quiet: list[float], beside: list[float], answers: list[tuple[int, float]]
) -> Iterator[str]:
    ratios = [one / other for one, other in zip(beside, quiet, strict=True)]
    yield "| landing page | requests/s |"
    yield "|---|---|"
    yield f"| alone | {statistics.median(quiet):.0f} |"
    yield f"| beside {PEOPLE} people who begin log-ins | {statistics.median(beside):.0f} |"
    yield ""
    spread = f"{min(ratios):.2f}–{max(ratios):.2f}"
    yield f"The second against the first: {statistics.median(ratios):.2f} ({spread})."
    statuses = sorted({status for status, _seconds in answers})
    if not set(statuses) <= {429, 503}:
        raise RuntimeError(f"A log-in was answered {statuses}.")
    slowest = max(seconds for _status, seconds in answers)
    yield f"{len(answers)} log-ins begun, answered {statuses}; the slowest took {slowest:.1f} s."
    yield f"Load of the machine: {os.getloadavg()[0]:.1f}."
