"""The cost and the rate of associations."""

import multiprocessing
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import CustomerAccount, User
from association.models import Attempt, DocumentKind
from association.services.associations import associate
from association.services.attempts import derived_from
from association.services.documents import current_documents
from partners.enums import AssociationType
from partners.models import Partner
from partners.services.invitation_use import InvitationRefused
from partners.services.invitations import create_links
from partners.tokens import new_token

ROUNDS = 3
CLIENTS = {1: 100, 8: 400, 32: 400}
Outcome = tuple[str, float, float]

PREPARE = """
DROP TABLE IF EXISTS bare_invitation, bare_account, bare_association, bare_evidence;
CREATE TABLE bare_invitation (id int PRIMARY KEY, used int NOT NULL, most int, ends timestamptz);
CREATE TABLE bare_account (id int PRIMARY KEY, state text);
CREATE TABLE bare_association (
    id serial PRIMARY KEY, account int REFERENCES bare_account, invitation int, at timestamptz);
CREATE TABLE bare_evidence (id serial PRIMARY KEY, kind text, about int, at timestamptz);
INSERT INTO bare_invitation SELECT n, 0, 1000000000, NULL FROM generate_series(1, 1000) n;
INSERT INTO bare_account SELECT n, '' FROM generate_series(1, 100000) n;
"""
BARE = """
\\set account random(1, 100000)
\\set invitation random(1, {invitations})
BEGIN;
SELECT state FROM bare_account WHERE id = :account FOR UPDATE;
SELECT used, most, ends FROM bare_invitation WHERE id = :invitation;
INSERT INTO bare_association (account, invitation, at) VALUES (:account, :invitation, now());
INSERT INTO bare_evidence (kind, about, at) VALUES ('consent', :account, now());
INSERT INTO bare_evidence (kind, about, at) VALUES ('freeze', :account, now());
INSERT INTO bare_evidence (kind, about, at) VALUES ('audit', :account, now());
INSERT INTO bare_evidence (kind, about, at) VALUES ('message', :account, now());
UPDATE bare_invitation SET used = used + 1
    WHERE id = :invitation AND used < most AND (ends IS NULL OR ends > now());
COMMIT;
"""


def measure() -> Iterator[str]:
    partner = make_partner()
    attempt = Attempt.objects.get(pk=make_attempts(partner, 1, invitations=1)[0])
    with CaptureQueriesContext(connection) as queries:
        join(attempt.pk)
    # Without the benchmark's own SELECT, BEGIN and COMMIT.
    yield f"`associate()` runs {len(queries) - 3} statements between BEGIN and COMMIT."
    yield ""
    yield planning([query["sql"] for query in queries.captured_queries])
    yield ""
    yield python_time(make_attempts(partner, 50, invitations=50))
    yield ""
    yield "| clients | many invitations /s | one hot /s | hot of many | hot p99 ms | many of bare |"
    yield "|---|---|---|---|---|---|"
    with connection.cursor() as cursor:
        cursor.execute(PREPARE)
    for clients, count in CLIENTS.items():
        many, hot, ratio, slow, bare = [], [], [], [], []
        for _ in range(ROUNDS):
            bare.append(run_bare(clients, invitations=1000))
            many.append(rate_of(run(make_attempts(partner, count, invitations=count), clients)))
            outcomes = run(make_attempts(partner, count, invitations=1), clients)
            hot.append(rate_of(outcomes))
            ratio.append(hot[-1] / many[-1])
            slow.append(sorted(end - start for _, start, end in outcomes)[-1 - count // 100])
        of_bare = statistics.median(ours / theirs for ours, theirs in zip(many, bare, strict=True))
        yield (
            f"| {clients} | {statistics.median(many):.0f} | {statistics.median(hot):.0f} "
            f"| {statistics.median(ratio):.2f} | {statistics.median(slow) * 1000:.0f} "
            f"| {of_bare:.2f} of {statistics.median(bare):.0f} |"
        )


def make_partner() -> Partner:
    return Partner.objects.create(
        name="Bench", slug=f"bench-{new_token()[:12]}", legal_name="Bench Ltd.", country="IE",
        support_email="support@bench.example",
    )  # fmt: skip


def planning(statements: list[str]) -> str:
    """Return how long PostgreSQL plans and runs the SELECTs among these statements."""
    planned = run_for = 0.0
    selects = [sql for sql in statements if sql.startswith("SELECT")]
    with connection.cursor() as cursor:
        for sql in selects:
            cursor.execute(f"EXPLAIN (ANALYZE, SUMMARY, FORMAT JSON) {sql}")
            (told,) = cursor.fetchone()[0]
            planned += told["Planning Time"]
            run_for += told["Execution Time"]
    return (
        f"Its {len(selects)} SELECTs take PostgreSQL {planned:.1f} ms to plan and {run_for:.1f} ms"
        " to run."
    )


def python_time(attempts: list[UUID]) -> str:
    """Return the CPU time of this process in `associate()`, one attempt after the other."""
    taken = []
    for attempt_id in attempts:
        attempt = Attempt.objects.select_related("account__owner").get(pk=attempt_id)
        start = time.process_time()
        associate(attempt=attempt, by=attempt.account.owner, address="192.0.2.1")
        taken.append((time.process_time() - start) * 1000)
    return f"`associate()` takes {statistics.median(taken):.1f} ms of Python."


def make_attempts(
    partner: Partner, count: int, *, invitations: int, max_uses: int | None = None
) -> list[UUID]:
    """Make reseller attempts of new, enabled accounts that lack only the final click."""
    now = timezone.now()
    links = create_links(
        count=invitations, partner=partner, association_type=AssociationType.RESELLER,
        label="{n}", by=None, now=now, max_uses=max_uses,
    )  # fmt: skip
    names = [new_token() for _ in range(count)]
    users = User.objects.bulk_create(
        User(
            account_name=name, email=f"{name}@bench.example", email_original=f"{name}@bench.example"
        )
        for name in names
    )
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in users
    )
    accounts = CustomerAccount.objects.bulk_create(
        CustomerAccount(owner=user, country="IE", registered_at=now, services_enabled_at=now)
        for user in users
    )
    instructions = current_documents([DocumentKind.INSTRUCTIONS], "en")[DocumentKind.INSTRUCTIONS]
    attempts = Attempt.objects.bulk_create(
        Attempt(
            invitation=links[number % invitations],
            **derived_from(links[number % invitations]),
            browser_hash=names[number],
            language="en",
            started_at=now,
            instructions=instructions,
            instructions_agreed_at=now,
            account=account,
            entered_at=now,
            registered_at=now,
            decided_at=now,
        )
        for number, account in enumerate(accounts)
    )
    return [attempt.pk for attempt in attempts]


def run(attempts: list[UUID], clients: int) -> list[Outcome]:
    """Associate all attempts with this many threads in two processes, as in gunicorn."""
    processes = min(clients, 2)
    connections.close_all()
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        shares = [attempts[start::processes] for start in range(processes)]
        answers = pool.map(join_all, shares, [clients // processes] * processes)
        return [outcome for answer in answers for outcome in answer]


def join_all(attempts: list[UUID], threads: int) -> list[Outcome]:
    with ThreadPoolExecutor(threads, initializer=connection.ensure_connection) as pool:
        return list(pool.map(join, attempts))


def join(attempt_id: UUID) -> Outcome:
    """Associate one attempt; return the outcome, and the moments before and after."""
    attempt = Attempt.objects.select_related("account__owner").get(pk=attempt_id)
    assert attempt.account is not None  # noqa: S101 - for the type checker
    start = time.monotonic()
    try:
        associate(attempt=attempt, by=attempt.account.owner, address="192.0.2.1")
    except InvitationRefused as refused:
        return str(refused.code.value), start, time.monotonic()
    return "associated", start, time.monotonic()


def rate_of(outcomes: list[Outcome]) -> float:
    """Return the associations per second, from the first start to the last end."""
    first, last = min(start for _, start, _ in outcomes), max(end for _, _, end in outcomes)
    return len(outcomes) / (last - first)


def run_bare(clients: int, *, invitations: int) -> float:
    """Return how many bare transactions pgbench runs per second."""
    database = connection.settings_dict
    command = ["pgbench", "-n", f"-c{clients}", "-j2", "-T4"]
    server = ["-h", database["HOST"], "-U", database["USER"], database["NAME"]]
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(BARE.format(invitations=invitations))
        script.flush()
        output = subprocess.run(  # noqa: S603 - PostgreSQL's program, our own statements
            [*command, "-f", script.name, *server],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PGPASSWORD": database["PASSWORD"]},
        ).stdout
    return float(output.partition("tps = ")[2].split()[0])
