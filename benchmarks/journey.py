"""What the journey costs over HTTP, side by side with an older commit in a second checkout."""

import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

import psycopg
from django.db import connection

ROUNDS = 7
POSTS = 40
CLIENTS = 8
VISITS = 25
LANDINGS = 10_000
TICKS = os.sysconf("SC_CLK_TCK")
HERE = Path(__file__).resolve().parent
CSRF = "x" * 32
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?')
# The pages of the journey, each with whose it is.
PAGES = {
    "landing": ("/i/{token}", ""),
    "instructions": ("/i/{token}/instructions", ""),
    "account": ("/join/{attempt}/account", "account"),
    "register": ("/join/{attempt}/register", "account"),
    "check": ("/join/{attempt}/check", "check"),
    "enable": ("/join/{attempt}/enable", "enable"),
    "confirm": ("/join/{attempt}/confirm", "confirm"),
}


@dataclass
class Site:
    """One checkout that is served with a database of its own."""

    name: str
    checkout: Path
    port: int
    database: str
    pid: int = 0
    people: dict[str, Any] = field(default_factory=dict)
    used: int = 0

    def cpu_seconds(self) -> float:
        """Return the CPU time of the web server's workers and of its database connections."""
        return sum(seconds_of(pid) for pid in [*children_of(self.pid), *self.backends()])

    def backends(self) -> Iterator[int]:
        """Yield the PostgreSQL processes that serve this site's database."""
        for line in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                words = line.read_text().split()
                if words[:1] == ["postgres:"] and self.database in words:
                    yield int(line.parent.name)

    def memory(self) -> float:
        """Return the proportional set size of the workers in MB."""
        sizes = [
            re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
            for pid in [self.pid, *children_of(self.pid)]
        ]
        return sum(int(size[1]) for size in sizes if size) / 1024

    def ask(
        self,
        method: str,
        path: str,
        cookies: dict[str, str],
        body: str = "",
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[int, str]:
        """Send one request and return its status and text."""
        told = "; ".join(f"{name}={value}" for name, value in cookies.items())
        form = "application/x-www-form-urlencoded"
        headers = {"Cookie": told, "Content-Type": form, **headers}
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        client.request(method, path, body=body or None, headers=headers)
        answer = client.getresponse()
        text = answer.read().decode(errors="replace")
        client.close()
        return answer.status, text


def children_of(pid: int) -> list[int]:
    """Return the workers of a server."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def seconds_of(pid: int) -> float:
    """Return the CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def served(name: str, checkout: Path, port: int) -> Iterator[Site]:
    """Fill a new database for the checkout, and serve it as in production: gthread, two workers."""
    login = connection.settings_dict
    site = Site(name, checkout, port, f"bench_{name}_{os.getpid()}")
    server = f"postgres://{login['USER']}@{login['HOST'] or '127.0.0.1'}"
    # PORT and the rest are the site's own.
    environment = {
        **os.environ,
        "DATABASE_URL": f"{server}/{site.database}",
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
        "SECRET_KEY": "benchmark",
        "PORT": str(port),
        "WEB_WORKERS": "2",
        # As docs/deployment.md says.
        "MALLOC_MMAP_THRESHOLD_": "1048576",
        "LOG_LEVEL": "ERROR",
        "PYTHONPATH": str(checkout),
    }
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{site.database}"')
        try:
            made = subprocess.run(  # noqa: S603 - our own program
                [sys.executable, HERE / "prepare_journey.py", str(ROUNDS * POSTS + VISITS)],
                cwd=checkout, env=environment, check=True, capture_output=True, text=True,
            )  # fmt: skip
            site.people = json.loads(made.stdout)
            command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.conf.py"]
            web = subprocess.Popen(  # noqa: S603 - our own program
                [*command, "--log-level", "error", "config.wsgi:application"],
                cwd=checkout, env=environment,
            )  # fmt: skip
            try:
                site.pid = web.pid
                wait_for(site)
                yield site
            finally:
                web.terminate()
                web.wait()
        finally:
            admin.execute(f'DROP DATABASE "{site.database}" WITH (FORCE)')


def wait_for(site: Site) -> None:
    """Return once the site answers."""
    for _ in range(200):
        with suppress(OSError):
            if site.ask("GET", "/livez", {})[0] == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"{site.name} does not answer")


def measure(before: Path | None) -> Iterator[str]:
    """Yield the lines about the journey; with `before`, that checkout beside this one."""
    checkouts = {"now": HERE.parent} | ({"before": before} if before else {})
    with ExitStack() as stack:
        sites = [
            stack.enter_context(served(name, checkout, 8470 + number))
            for number, (name, checkout) in enumerate(checkouts.items())
        ]
        yield from pages(sites)
        yield ""
        yield from final_posts(sites)
        yield ""
        yield from memory(sites)


def pages(sites: list[Site]) -> Iterator[str]:
    """Yield the CPU of each page, server and database together."""
    yield "| page: CPU ms | " + " | ".join(site.name for site in sites) + " |"
    yield "|---|" + "---|" * len(sites)
    for name in PAGES:
        for site in sites:
            visit(site, name, count=5)
        costs = [statistics.median(visit(site, name) for _ in range(ROUNDS)) for site in sites]
        yield f"| {name} | " + " | ".join(f"{cost:.1f}" for cost in costs) + " |"


def visit(site: Site, page: str, count: int = VISITS) -> float:
    """Ask for a page some times, and return the CPU milliseconds of one visit."""
    path, whose = PAGES[page]
    # The first people of "confirm" are visited only; the others associate.
    crowd = site.people[whose][-VISITS:] if whose else [{}]
    start = site.cpu_seconds()
    for number in range(count):
        person = crowd[number % len(crowd)]
        status, text = site.ask(
            "GET", path.format(**person, token=site.people["token"]), cookies_of(person)
        )
        if status != 200:
            raise RuntimeError(f"{site.name} {page}: {status} {text[:200]}")
    return (site.cpu_seconds() - start) * 1000 / count


def cookies_of(person: dict[str, str]) -> dict[str, str]:
    """Return what this person's browser sends."""
    names = {"session": "session", "browser": "browser"}
    return {"csrf": CSRF} | {name: person[key] for key, name in names.items() if key in person}


def final_posts(sites: list[Site]) -> Iterator[str]:
    """Yield rate and CPU of the POST that associates, the sites in turn."""
    rounds: dict[str, list[tuple[float, float]]] = {site.name: [] for site in sites}
    for _ in range(ROUNDS):
        for site in sites:
            rounds[site.name].append(post_some(site))
    yield "| final POST | requests/s | CPU ms, server and database |"
    yield "|---|---|---|"
    for name, found in rounds.items():
        rates, costs = zip(*found, strict=True)
        yield f"| {name} | {statistics.median(rates):.0f} | {statistics.median(costs):.1f} |"
    if len(sites) == 2:
        pairs = zip(rounds["now"], rounds["before"], strict=True)
        yield ""
        ratios = [now[0] / before[0] for now, before in pairs]
        yield (
            f"Rate now / before, in pairs: {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f}–{max(ratios):.2f})."
        )


def post_some(site: Site) -> tuple[float, float]:
    """Associate the next customers in parallel; return requests a second and CPU ms of one."""
    people = site.people["confirm"][site.used : site.used + POSTS]
    site.used += POSTS
    bodies = [body_of(site, person) for person in people]
    cpu, start = site.cpu_seconds(), time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        statuses = list(pool.map(lambda pair: post(site, *pair), zip(people, bodies, strict=True)))
    taken, used = time.monotonic() - start, site.cpu_seconds() - cpu
    if set(statuses) != {303}:
        raise RuntimeError(f"{site.name}: {statuses}")
    return POSTS / taken, used * 1000 / POSTS


def post(site: Site, person: dict[str, str], body: str) -> int:
    """Send the form of the last page."""
    return site.ask("POST", f"/join/{person['attempt']}/confirm", cookies_of(person), body)[0]


def body_of(site: Site, person: dict[str, str]) -> str:
    """Return what the form on the last page sends when nothing is ticked."""
    _, page = site.ask("GET", f"/join/{person['attempt']}/confirm", cookies_of(person))
    hidden = {name: unescape(value) for name, value in _HIDDEN.findall(page)}
    return urlencode(hidden)


def memory(sites: list[Site]) -> Iterator[str]:
    """Yield what the processes of the web server hold after many pages, and after log-ins."""
    yield "| PSS of the web server, MB | " + " | ".join(site.name for site in sites) + " |"
    yield "|---|" + "---|" * len(sites)
    for site in sites:
        land(site)
    rows = {f"after {LANDINGS:,} landing pages": [site.memory() for site in sites]}
    for site in sites:
        log_in_all(site)
    rows["after 16 log-ins at once"] = [site.memory() for site in sites]
    for name, sizes in rows.items():
        yield f"| {name} | " + " | ".join(f"{size:.0f}" for size in sizes) + " |"


def land(site: Site) -> None:
    """Open the landing page many times."""
    path = f"/i/{site.people['token']}"
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda _: site.ask("GET", path, {}), range(LANDINGS)))


def log_in_all(site: Site) -> None:
    """Log 16 customers in at the same time."""
    emails = site.people["logins"]
    with ThreadPoolExecutor(len(emails)) as pool:
        statuses = set(pool.map(lambda email: log_in(site, email), emails))
    if not statuses <= {302, 303}:
        raise RuntimeError(f"{site.name}: {statuses}")


def log_in(site: Site, email: str) -> int:
    """Log in, as the form does; again in a moment when too many do so at once."""
    form = {"csrfmiddlewaretoken": CSRF, "login": email, "password": site.people["password"]}
    for _ in range(100):
        status = site.ask("POST", "/account/login/", {"csrf": CSRF}, urlencode(form))[0]
        if status != 503:
            break
        time.sleep(0.2)
    return status
