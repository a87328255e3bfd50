"""What the console's lists cost with a thousand rows, and with a million."""

import resource
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.utils import timezone

from benchmarks.filling import LARGE, SMALL, fill, make_members
from partners.models import Invitation, PartnerMember
from partners.services.by_token import load_invitation
from partners.services.pages import PAGE_SIZE

ROUNDS = 9
LOOK_UPS = 200
FAR = 10_000
GOAL = 1.5
INVITATIONS, HISTORY, CUSTOMERS = "invitations/", "history/", "customers/"


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of a request, the middle of its rounds, and those of them in the database."""

    total: float
    sql: float


@dataclass(slots=True)
class Database:
    """Sums up what statements take, in milliseconds."""

    spent: float = 0
    client: Client = field(default_factory=Client)

    def __call__(self, execute: Callable[..., Any], *statement: Any) -> Any:
        """Run a statement, and add its time."""
        start = time.perf_counter()
        try:
            return execute(*statement)
        finally:
            self.spent += (time.perf_counter() - start) * 1000


def measure() -> Iterator[str]:
    """Yield the lines about the console."""
    members = make_members()
    fill(SMALL, members)
    small = costs_of(members)
    few = look_up()
    fill(LARGE, members)
    yield "| list | as | 1,000: ms (SQL) | 1,000,000: ms (SQL) | ratio |"
    yield "|---|---|---|---|---|"
    for (name, who), large in costs_of(members).items():
        before = small[name, who]
        ratio = large.total / before.total
        yield (
            f"| {name} | {who} | {before.total:.1f} ({before.sql:.1f}) "
            f"| {large.total:.1f} ({large.sql:.1f}) | {stressed(ratio, GOAL)} |"
        )
    yield ""
    many = look_up()
    yield f"Look-up by token: {few:.2f} and {many:.2f} ms, ratio {stressed(many / few, 1.2)}."
    yield ""
    yield from far_pages(members["administrator"])
    yield ""
    yield from exports(members["administrator"])


def stressed(ratio: float, goal: float) -> str:
    """Return the ratio, in bold where it misses its goal."""
    return f"{ratio:.2f}" if ratio <= goal else f"**{ratio:.2f}**"


def addresses() -> Mapping[str, str]:
    """Return the console's lists by what is asked for, below `/partner/`."""
    day = (timezone.now() - timedelta(days=300)).date()
    token = Invitation.objects.get(pk=1_000_000_077).token
    pages: dict[str, tuple[str, Mapping[str, object]]] = {"overview": ("", {})}

    def add(path: str, *wishes: Mapping[str, object]) -> None:
        for wish in wishes:
            said = " ".join(f"{key}={value}" for key, value in wish.items())
            pages[f"{path.rstrip('/')} {said}".rstrip()] = (path, wish)

    add(INVITATIONS, {}, {"order": "used"}, {"order": "expiring"})
    add(INVITATIONS, *({"state": state} for state in ("live", "expired", "used_up", "revoked")))
    add(INVITATIONS, {"state": "expired", "order": "used"}, {"association_type": "referral"})
    add(INVITATIONS, {"q": "Campaign"}, {"q": "needle"}, {"q": "nowhere"}, {"q": token})
    add(INVITATIONS, {"q": "guest184@bench.example"})
    add(HISTORY, {}, {"outcome": "associated"}, {"outcome": "refused"}, {"outcome": "under_way"})
    add(HISTORY, {"step": "put_off"}, {"step": "register"}, {"channel": "email"})
    add(HISTORY, {"refusal": "registered_too_long"}, {"refusal": "is_partner"})
    add(HISTORY, {"refusal": "unpaid_bills"}, {"association_type": "referral"})
    add(HISTORY, {"since": day, "until": day + timedelta(days=3)}, {"until": day})
    add(HISTORY, {"outcome": "refused", "since": day, "until": day + timedelta(days=3)})
    add(HISTORY, {"q": "customer"}, {"q": "customer111"}, {"q": "nobody"})
    add(HISTORY, {"q": "customer111@bench.example"}, {"q": "visitor113@bench.example"})
    add(CUSTOMERS, {}, *({"status": status} for status in ("waiting", "frozen", "free")))
    add(CUSTOMERS, {"budget": "with"}, {"budget": "without"}, {"association_type": "referral"})
    add(CUSTOMERS, {"budget": "without", "association_type": "reseller"})
    add(CUSTOMERS, {"status": "frozen", "budget": "with"}, {"manager": "none"})
    add(CUSTOMERS, {"q": "customer"}, {"q": "customer111"}, {"q": "nobody"})
    add("requests/", {}, {"state": "all"}, {"q": "needle"})
    add("invitations/batches/", {}, {"q": "leaflet"}, {"q": "nowhere"})
    add("members/", {})
    add("history.csv", {})
    add("customers.csv", {})
    return {name: f"{path}?{urlencode(wish)}" for name, (path, wish) in pages.items()}


def costs_of(members: Mapping[str, PartnerMember]) -> dict[tuple[str, str], Cost]:
    """Return what each list costs each member; all of them in turn, again and again."""
    databases = {who: Database(client=signed_in(member)) for who, member in members.items()}
    asked = [
        (name, who, f"/partner/{address}")
        for name, address in addresses().items()
        for who in members
        if who == "administrator" or not name.startswith(("members", "customers.csv"))
    ]
    found: dict[tuple[str, str], list[Cost]] = {(name, who): [] for name, who, _ in asked}
    for _ in range(ROUNDS + 1):
        for name, who, address in asked:
            found[name, who].append(visit(databases[who], address))
    # The first round is for what a process remembers from then on.
    return {
        key: Cost(
            statistics.median(cost.total for cost in costs[1:]),
            statistics.median(cost.sql for cost in costs[1:]),
        )
        for key, costs in found.items()
    }


def signed_in(member: PartnerMember) -> Client:
    """Return a browser in which the member is signed in."""
    client = Client(headers={"host": settings.ALLOWED_HOSTS[0]})
    client.force_login(member.user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


def visit(database: Database, address: str) -> Cost:
    """Ask for a page, or for the first line of a download that is more than its heading."""
    database.spent, start = 0, time.perf_counter()
    with connection.execute_wrapper(database):
        answer = database.client.get(address)
        if isinstance(answer, StreamingHttpResponse):
            lines = iter(answer)
            next(lines), next(lines)
    total = (time.perf_counter() - start) * 1000
    if answer.status_code != 200:
        raise RuntimeError(f"{address}: {answer.status_code}")
    answer.close()
    return Cost(total, database.spent)


def look_up() -> float:
    """Return the milliseconds of a look-up by token, each time of another one."""
    tokens = Invitation.objects.order_by("pk").values_list("token", flat=True)[: LOOK_UPS + 1]
    taken = []
    for token in tokens:
        start = time.perf_counter()
        load_invitation(token)
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken[1:])


def far_pages(member: PartnerMember) -> Iterator[str]:
    """Yield how page 10,000 of the long lists compares with page 1, asked for in turn."""
    database = Database(client=signed_in(member))
    lists = {
        INVITATIONS: member.partner.invitations.order_by("-created_at", "-pk").values_list(
            "created_at", "pk"
        ),
        HISTORY: member.partner.attempts.order_by("-started_at", "-pk").values_list(
            "started_at", "pk"
        ),
    }
    for path, rows in lists.items():
        moment, key = rows[(FAR - 1) * PAGE_SIZE - 1]
        place = urlencode({"after": f"{moment.isoformat()}~{key}"})
        pair = [f"/partner/{path}", f"/partner/{path}?{place}"]
        rounds = [[visit(database, address).total for address in pair] for _ in range(ROUNDS + 1)]
        first, far = (statistics.median(column) for column in zip(*rounds[1:], strict=True))
        ratio = stressed(far / first, 2)
        yield f"- {path} page {FAR:,}: {far:.1f} ms, page 1 {first:.1f} ms, ratio {ratio}"


def exports(member: PartnerMember) -> Iterator[str]:
    """Yield how long whole downloads take, and the most memory the process ever had."""
    client = signed_in(member)
    for name in ("history.csv", "customers.csv"):
        start, lines, size = time.perf_counter(), 0, 0
        for line in client.get(f"/partner/{name}"):
            lines, size = lines + 1, size + len(line)
        seconds = time.perf_counter() - start
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        yield (
            f"- {name}: {lines:,} lines, {size / 2**20:.0f} MiB in {seconds:.0f} s; "
            f"the process had {most:.0f} MiB at most"
        )
