"""The cost of public pages: rate and CPU beside `ok`, statements, calls, instructions."""

import cProfile
import json
import os
import pstats
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from partners.enums import AssociationType
from partners.models import Invitation, Partner
from partners.services.invitations import create_links
from partners.tokens import new_token

ROUNDS = 7
SECONDS = 4
TOKENS = 50_000
VISITS = (20, 120)
PORTS = {"ok": 8461, "site": 8462}
APPLICATIONS = {"ok": "benchmarks.ok:application", "site": "config.wsgi:application"}
TICKS = os.sysconf("SC_CLK_TCK")
SCRIPT = Path(__file__).with_name("addresses.lua")


def make_pages() -> dict[str, list[str]]:
    """Return the URLs of each kind of page, with new tokens: no cache knows them."""
    now = timezone.now()
    partner = Partner.objects.create(
        name="Bench & Sons",
        slug=f"bench-{new_token()[:12]}",
        legal_name="Bench & Sons Ltd.",
        country="IE",
        support_email="support@bench.example",
    )

    def links(count: int, **fields: object) -> list[Invitation]:
        return create_links(
            count=count,
            partner=partner,
            association_type=AssociationType.RESELLER,
            label="{n}",
            by=None,
            now=now,
            **fields,  # type: ignore[arg-type]
        )

    limited = {"note": "Welcome!\nAsk us <anything>.", "max_uses": 40}
    revoked = links(2_000)
    Invitation.objects.filter(pk__in=[link.pk for link in revoked]).update(revoked_at=now)
    kinds = {
        "landing": links(TOKENS),
        "landing, note and limits": links(5_000, expires_at=now + timedelta(days=9), **limited),
        "dead link": revoked,
    }
    pages = {name: [f"/i/{link.token}" for link in made] for name, made in kinds.items()}
    return {"ok": ["/"], **pages, "unknown token": [f"/i/{new_token()}" for _ in range(20_000)]}


@contextmanager
def serving(name: str) -> Iterator[int]:
    """Run gunicorn with two sync workers and give its process id."""
    command = [sys.executable, "-m", "gunicorn", "--workers", "2", "--log-level", "error"]
    command += ["--no-control-socket", "--bind", f"127.0.0.1:{PORTS[name]}", APPLICATIONS[name]]
    path = "/" if name == "ok" else "/livez"
    with running(command, f"http://127.0.0.1:{PORTS[name]}{path}") as pid:
        yield pid


@contextmanager
def serving_as_in_production(**variables: str) -> Iterator[int]:
    """Run gunicorn with its settings, two workers of eight threads; give its process id."""
    port = PORTS["site"]
    command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.conf.py", "--log-level"]
    command += ["error", "config.wsgi:application"]
    own = {"PORT": str(port), "LOG_LEVEL": "ERROR", **variables}
    with running(command, f"http://127.0.0.1:{port}/livez", **own) as pid:
        yield pid


@contextmanager
def running(command: list[str], address: str, **variables: str) -> Iterator[int]:
    """Run a server until the end, give its process id as soon as the address answers."""
    environment = {**os.environ, **variables}
    server = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        for _ in range(200):
            with suppress(URLError):
                urlopen(address)  # noqa: S310 - our own server
                break
            time.sleep(0.1)
        yield server.pid
    finally:
        server.terminate()
        server.wait()


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a server's workers have used."""
    total = 0
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def load(pid: int, server: str, addresses: Path, connections: int = 8) -> dict[str, float]:
    """Load a server for some seconds; return rate, CPU seconds per 1,000, and latency in ms."""
    before = cpu_seconds(pid)
    output = subprocess.run(  # noqa: S603 - Debian's program, our own addresses
        load_command(server, addresses, connections), check=True, capture_output=True, text=True
    ).stdout
    result = result_of(output)
    return {
        "rate": result["requests"] / result["seconds"],
        "cpu": (cpu_seconds(pid) - before) / result["requests"] * 1000,
        "p50": result["p50"],
        "p99": result["p99"],
    }


def load_command(
    server: str, addresses: Path, connections: int, header: str = "Accept: */*"
) -> list[str]:
    """Return the command that asks a server for these addresses for some seconds."""
    command = ["wrk", "-t2", f"-c{connections}", f"-d{SECONDS}s", "--timeout", "20s", "-H", header]
    command += ["-s", str(SCRIPT), f"http://127.0.0.1:{PORTS[server]}", "--", str(addresses)]
    return command


def result_of(output: str) -> dict[str, float]:
    """Return what the command has counted; `refused` are answers with a status of 400 or more."""
    result: dict[str, float] = json.loads(output.splitlines()[-1])
    if result["failed"]:
        sys.exit(f"Requests failed: {output}")
    return result


def compare(pages: dict[str, list[str]]) -> Iterator[str]:
    """Load each page in several rounds, and yield the lines of a table."""
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in pages}
    with (
        tempfile.TemporaryDirectory() as folder,
        serving("ok") as ok_pid,
        serving("site") as site_pid,
    ):
        files = {}
        for number, (name, addresses) in enumerate(pages.items()):
            files[name] = Path(folder, str(number))
            files[name].write_text("\n".join(addresses) + "\n")
        for _ in range(ROUNDS):
            for name in pages:
                pid, server = (ok_pid, "ok") if name == "ok" else (site_pid, "site")
                measured[name].append(load(pid, server, files[name]))
        crowd = load(site_pid, "site", files["landing"], connections=64)
    yield "| page | of `ok` | spread | CPU s/1,000 | requests/s |"
    yield "|---|---|---|---|---|"
    for name, rounds in measured.items():
        ratios = [one["rate"] / ok["rate"] for one, ok in zip(rounds, measured["ok"], strict=True)]
        yield (
            f"| {name} | {statistics.median(ratios):.2f} | {min(ratios):.2f}–{max(ratios):.2f} "
            f"| {median(rounds, 'cpu'):.2f} | {median(rounds, 'rate'):.0f} |"
        )
    yield ""
    yield f"Landing page at 64 connections: p50 {crowd['p50']} ms, p99 {crowd['p99']} ms."


def median(rounds: list[dict[str, float]], figure: str) -> float:
    """Return the median of one figure over the rounds."""
    return statistics.median(one[figure] for one in rounds)


def count(pages: dict[str, list[str]]) -> Iterator[str]:
    """Yield statements and Python calls, which do not depend on the machine's load."""
    yield "| page | statements | Python calls |"
    yield "|---|---|---|"
    for name, addresses in pages.items():
        if name == "ok":
            continue
        visit = visitor()
        for address in addresses[:3]:
            visit(address)
        with CaptureQueriesContext(connection) as queries:
            visit(addresses[3])
            statements = len(queries)
        profile = cProfile.Profile()
        visit(addresses[4], profile.runcall)
        calls = pstats.Stats(profile).total_calls  # type: ignore[attr-defined]
        yield f"| {name} | {statements} | {calls:,} |"


def weigh(pages: dict[str, list[str]]) -> Iterator[str]:
    """Yield the machine instructions of one visit of each page; valgrind takes minutes."""
    for name in ("landing", "landing, note and limits", "dead link", "unknown token"):
        few, many = (instructions(pages[name][:number]) for number in VISITS)
        each = (many - few) / (VISITS[1] - VISITS[0]) / 1e6
        yield f"- {name}: {each:.2f} M instructions"


def visitor() -> Callable[..., None]:
    """Return a function that visits a URL in this process, each time as another client."""
    application = get_wsgi_application()
    clients = iter(range(2**24))
    plain = RequestFactory(SERVER_NAME="127.0.0.1").get("/").environ

    def start_response(*_args: object) -> Callable[[bytes], object]:
        return len

    def answer(environ: dict[str, Any]) -> None:
        answer = application(environ, start_response)
        b"".join(answer)
        answer.close()

    def visit(address: str, run: Callable[..., object] | None = None) -> None:
        number = next(clients)
        client = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        environ = {**plain, "PATH_INFO": address, "REMOTE_ADDR": client}
        if run is None:
            answer(environ)
        else:
            run(answer, environ)

    return visit


def instructions(addresses: list[str]) -> int:
    """Return how many instructions a process needs to visit these URLs, by valgrind."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    output = subprocess.run(  # noqa: S603 - Debian's program, our own module
        [*command, sys.executable, "-m", "benchmarks", "visit"],
        input="\n".join(addresses),
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    ).stderr
    found = re.search(r"Collected : (\d+)", output)
    return int(found[1]) if found else sys.exit(output)
