"""The cost of the console's lists with a thousand rows and with a million."""

import resource
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.utils import timezone

from benchmarks.console_rows import LARGE, SMALL, fill, make_members
from partners.models import Invitation, PartnerMember
from partners.services.invitation_use import find_invitation
from partners.services.pages import PAGE_SIZE

ROUNDS = 5
LOOK_UPS = 200
FAR_PAGE = 10_000
GOAL, FAST = 1.5, 25
INVITATIONS, HISTORY, CUSTOMERS = "invitations/", "history/", "customers/"


# Milliseconds of the database by the name of a list and who asks for it.
Costs = dict[tuple[str, str], float]


class Database:
    """Keeps the statements by which a client reads, to explain them afterwards."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.statements: list[tuple[str, Any]] = []

    def __call__(self, execute: Callable[..., Any], sql: str, values: Any, *rest: Any) -> Any:
        if sql.startswith("SELECT") and "FOR UPDATE" not in sql:
            self.statements.append((sql, values))
        return execute(sql, values, *rest)

    def explain(self) -> float:
        """Run the kept statements again; return the milliseconds of planning and execution."""
        spent = 0.0
        with connection.cursor() as cursor:
            for sql, values in self.statements:
                cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, SUMMARY, FORMAT JSON) {sql}", values)
                plan = cursor.fetchone()[0][0]
                spent += plan["Planning Time"] + plan["Execution Time"]
        return spent


def measure() -> Iterator[str]:
    members = make_members()
    fill(SMALL, members)
    small = costs_of(members)
    few = look_up()
    fill(LARGE, members)
    yield from compare(small, costs_of(members))
    yield ""
    many = look_up()
    yield f"Look-up by token: {few:.2f} and {many:.2f} ms, ratio {format_ratio(many / few, 1.2)}."
    yield ""
    yield from far_pages(members["administrator"])
    yield ""
    yield from exports(members["administrator"])


def compare(small: Costs, large: Costs) -> Iterator[str]:
    """Yield the table: what each list costs the database, and by how much it grew."""
    yield "| list | as | 1,000: ms | 1,000,000: ms | ratio |"
    yield "|---|---|---|---|---|"
    for (name, who), cost in large.items():
        before = small[name, who]
        # Less than this is fast enough, however much it grew.
        ratio = format_ratio(cost / before, GOAL if cost > FAST else float("inf"))
        yield f"| {name} | {who} | {before:.1f} | {cost:.1f} | {ratio} |"


def format_ratio(ratio: float, goal: float) -> str:
    """Return the ratio, in bold if it misses its goal."""
    return f"{ratio:.2f}" if ratio <= goal else f"**{ratio:.2f}**"


def addresses() -> Mapping[str, str]:
    """Return the URLs of the lists below `/partner/`, by a name with their filters."""
    today = timezone.now().date()
    day, quarter, month = (today - timedelta(days=days) for days in (300, 90, 30))
    token = Invitation.objects.get(pk=1_000_000_077).token
    pages: dict[str, tuple[str, Mapping[str, object]]] = {"overview": ("", {})}

    def add(path: str, *queries: Mapping[str, object]) -> None:
        for query in queries:
            text = " ".join(f"{key}={value}" for key, value in query.items())
            pages[f"{path.rstrip('/')} {text}".rstrip()] = (path, query)

    add(INVITATIONS, {}, {"order": "used"}, {"order": "expiring"})
    add(INVITATIONS, *({"state": state} for state in ("live", "expired", "used_up", "revoked")))
    add(INVITATIONS, {"state": "expired", "order": "used"}, {"association_type": "referral"})
    add(INVITATIONS, {"q": "Campaign"}, {"q": "needle"}, {"q": "nowhere"}, {"q": token})
    add(INVITATIONS, {"q": "guest184@bench.example"}, {"q": "ca"}, {"q": "zz"}, {"q": "e"})
    add(INVITATIONS, {"channel": "email"}, {"channel": "email", "order": "used"})
    add(INVITATIONS, *({"state": state, "order": "used"} for state in ("revoked", "used_up")))
    add(INVITATIONS, {"association_type": "referral", "order": "used"})
    add(HISTORY, {}, {"outcome": "associated"}, {"outcome": "refused"}, {"outcome": "under_way"})
    add(HISTORY, {"step": "put_off"}, {"step": "register"}, {"channel": "email"})
    add(HISTORY, {"refusal": "registered_too_long"}, {"refusal": "is_partner"})
    add(HISTORY, {"refusal": "unpaid_bills"}, {"association_type": "referral"})
    add(HISTORY, {"since": day, "until": day + timedelta(days=3)}, {"until": day})
    add(HISTORY, {"outcome": "refused", "since": day, "until": day + timedelta(days=3)})
    for moment in ("registered", "associated", "refused"):
        add(HISTORY, {"moment": moment, "since": month}, {"moment": moment, "since": quarter})
    add(HISTORY, {"account": "registered"})
    add(HISTORY, {"q": "customer"}, {"q": "customer111"}, {"q": "unknown"})
    add(HISTORY, {"q": "customer111@bench.example"}, {"q": "visitor113@bench.example"})
    add(CUSTOMERS, {}, *({"status": status} for status in ("waiting", "frozen", "free")))
    add(CUSTOMERS, *({"status": "waits_for_partner", "order": order} for order in ("", "name")))
    add(CUSTOMERS, {"budget": "with"}, {"budget": "without"}, {"association_type": "referral"})
    add(CUSTOMERS, {"budget": "without", "association_type": "reseller"})
    add(CUSTOMERS, {"status": "frozen", "budget": "with"}, {"manager": "none"})
    add(CUSTOMERS, {"q": "customer"}, {"q": "customer111"}, {"q": "unknown"})
    add(CUSTOMERS, {"q": "bakery"}, {"q": "elm b"}, {"q": "ba"}, {"q": "zz"}, {"q": "e"})
    add(CUSTOMERS, {"order": "name"}, {"order": "name", "status": "waiting"}, {"status": "ended"})
    add("search", {"q": "bakery"}, {"q": "customer111"}, {"q": "needle"}, {"q": "ba"}, {"q": "zz"})
    add("requests/", {}, {"state": "all"}, {"q": "needle"})
    add("invitations/batches/", {}, {"q": "leaflet"}, {"q": "nowhere"})
    add("members/", {})
    add("history.csv", {})
    add("customers.csv", {})
    return {name: f"{path}?{urlencode(query)}" for name, (path, query) in pages.items()}


def costs_of(members: Mapping[str, PartnerMember]) -> Costs:
    """Return the cost of each list for each member, measured in turn in several rounds."""
    databases = {who: Database(log_in(member)) for who, member in members.items()}
    requests = [
        (name, who, f"/partner/{address}")
        for name, address in addresses().items()
        for who in members
        if who == "administrator" or not name.startswith(("members", "customers.csv"))
    ]
    found: dict[tuple[str, str], list[float]] = {(name, who): [] for name, who, _ in requests}
    for _ in range(ROUNDS + 1):
        for name, who, address in requests:
            found[name, who].append(visit(databases[who], address))
    # The first round fills the caches of this process, and is left out.
    return {key: statistics.median(costs[1:]) for key, costs in found.items()}


def log_in(member: PartnerMember) -> Client:
    """Return a client that is logged in as the member."""
    client = Client(headers={"host": settings.ALLOWED_HOSTS[0]})
    client.force_login(member.user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


def visit(database: Database, address: str) -> float:
    """Request a page, or the first row of a download, and explain what it read."""
    database.statements = []
    with connection.execute_wrapper(database):
        answer = database.client.get(address)
        if isinstance(answer, StreamingHttpResponse):
            # The mark of the encoding, the heading and the first row.
            for _ in zip(range(3), answer, strict=False):
                pass
    if answer.status_code != 200:
        raise RuntimeError(f"{address}: {answer.status_code}")
    answer.close()
    return database.explain()


def look_up() -> float:
    """Return the milliseconds of a look-up by token, each time with another token."""
    tokens = Invitation.objects.order_by("pk").values_list("token", flat=True)[: LOOK_UPS + 1]
    taken = []
    for token in tokens:
        start = time.perf_counter()
        find_invitation(token)
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken[1:])


def far_pages(member: PartnerMember) -> Iterator[str]:
    """Yield the cost of page 10,000 of the long lists beside page 1."""
    database = Database(log_in(member))
    lists = {
        INVITATIONS: member.partner.invitations.order_by("-created_at", "-pk").values_list(
            "created_at", "pk"
        ),
        HISTORY: member.partner.attempts.order_by("-started_at", "-pk").values_list(
            "started_at", "pk"
        ),
    }
    for path, rows in lists.items():
        moment, key = rows[(FAR_PAGE - 1) * PAGE_SIZE - 1]
        place = urlencode({"after": f"{moment.isoformat()}~{key}"})
        pair = [f"/partner/{path}", f"/partner/{path}?{place}"]
        rounds = [[visit(database, address) for address in pair] for _ in range(ROUNDS + 1)]
        first, far = (statistics.median(column) for column in zip(*rounds[1:], strict=True))
        ratio = format_ratio(far / first, 2)
        yield f"- {path} page {FAR_PAGE:,}: {far:.1f} ms, page 1 {first:.1f} ms, ratio {ratio}"


def exports(member: PartnerMember) -> Iterator[str]:
    """Yield the duration of whole downloads, and the largest memory of the process."""
    client = log_in(member)
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
