"""What the provider's programs cost: permissions of an account, and batches of spending."""

import json
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from threading import Thread

from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import CustomerAccount, User
from accounts.services.facts_import import import_facts
from association.models import Association, Attempt
from association.services.admission import account_of
from association.services.associations import associate
from association.services.customers import set_budget
from association.services.permissions import CouponUse, permissions_of
from association.services.spending_records import record_spending
from benchmarks.api import caller
from benchmarks.associations import make_attempts, make_partner
from integration.enums import ProviderScope
from integration.services.keys import create_provider_key
from partners.enums import BudgetPeriod, OnExhaustion
from partners.tokens import new_token

ROUNDS = 7
CALLS = 300
ITEMS = 1_000
# Batches of one client, and clients at once.
BATCHES, CLIENTS = 10, 4
MOMENT = "2026-01-31T09:00:00Z"


def measure() -> Iterator[str]:
    """Yield the lines of the report: CPU of this process alone."""
    settings.RATE_LIMITS["provider_api"] = (10**6, 60)
    customer = make_reseller_customer()
    secret = make_secret()
    coupon = CouponUse("bench", f"coupon-{customer.pk}", timezone.now() - timedelta(days=1))

    def ask() -> None:
        permissions_of(account=customer.account, coupon=coupon, now=timezone.now())

    name = customer.account.owner.account_name
    over_http = caller("get", f"/api/v1/provider/permissions?account={name}", secret)
    yield "| permissions of a reseller's customer with a budget and a coupon | CPU, ms |"
    yield "|---|---|"
    yield f"| the service | {milliseconds(ask):.2f} |"
    yield f"| the call, with its key | {milliseconds(over_http):.2f} |"
    yield ""
    accounts = make_accounts(CLIENTS * 100)
    yield from measure_batch(secret, accounts)
    yield f"{CLIENTS} clients at once, accounts of their own: {rate(accounts):,.0f} items a second."


def measure_batch(secret: str, accounts: list[str]) -> Iterator[str]:
    """Yield the cost of one batch, new and repeated."""
    seconds: dict[str, list[float]] = {"new": [], "repeated": []}
    for number in range(ROUNDS):
        rows = make_rows(accounts, f"one-{number}")
        body = "\n".join(map(json.dumps, rows))
        call = caller("post", "/api/v1/provider/spending", secret, body, "application/x-ndjson")
        for found in seconds.values():
            began = time.process_time()
            call()
            found.append(time.process_time() - began)
    for kind, found in seconds.items():
        yield f"{ITEMS:,} {kind} items of spending: {statistics.median(found):.2f} s of CPU a call."


def make_rows(accounts: list[str], name: str) -> list[dict[str, str]]:
    """Return a batch of spending of these accounts."""
    return [
        {
            "source": "bench",
            "external_id": f"{new_token()}-{name}-{number}",
            "account_external_id": accounts[number % len(accounts)],
            "amount": "1.50",
            "occurred_at": MOMENT,
        }
        for number in range(ITEMS)
    ]


def rate(accounts: list[str]) -> float:
    """Return how many items a second clients write at once, each about its own accounts."""
    size = len(accounts) // CLIENTS
    shares = [accounts[start : start + size] for start in range(0, len(accounts), size)]
    batches = [[make_rows(share, "rate") for _ in range(BATCHES)] for share in shares]

    def send(own: list[list[dict[str, str]]]) -> None:
        try:
            for rows in own:
                report = record_spending(lines=rows, now=timezone.now())
                if report.errors:
                    raise RuntimeError(report.errors[0].reason)
        finally:
            connection.close()

    clients = [Thread(target=send, args=[own]) for own in batches]
    began = time.monotonic()
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return CLIENTS * BATCHES * ITEMS / (time.monotonic() - began)


def make_reseller_customer() -> Association:
    """Return a customer with a budget, spending and a coupon."""
    [attempt_id] = make_attempts(make_partner(), 1, invitations=1)
    attempt = Attempt.objects.select_related("account__owner").get(pk=attempt_id)
    account = account_of(attempt)
    customer = associate(attempt=attempt, by=account.owner, address="192.0.2.1")
    now = timezone.now()
    set_budget(
        association=customer,
        amount=Decimal("1000.00"),
        period=BudgetPeriod.MONTHLY,
        on_exhaustion=OnExhaustion.FREEZE,
        unfreeze=True,
        reason="",
        by=None,
        now=now,
    )
    name = customer.account.owner.account_name
    fact = {"source": "bench", "external_id": f"coupon-{customer.pk}", "account": name}
    import_facts(lines=[{"kind": "coupon", **fact, "balance": "5.00"}], now=now)
    return customer


def make_accounts(number: int) -> list[str]:
    """Return the external ids of new accounts."""
    prefix = new_token()[:12]
    users = User.objects.bulk_create(
        User(
            account_name=f"b-{prefix}-{place}",
            email=f"{prefix}-{place}@bench.example",
            email_original=f"{prefix}-{place}@bench.example",
        )
        for place in range(number)
    )
    rows = CustomerAccount.objects.bulk_create(
        CustomerAccount(owner=user, country="IE", external_id=user.account_name) for user in users
    )
    return [str(row.external_id) for row in rows]


def make_secret() -> str:
    """Return the secret of a key of the provider with all scopes."""
    now, name = timezone.now(), new_token()[:12]
    boss = User.objects.create_user(f"bench-{name}", f"{name}@bench.example", is_staff=True)
    _key, secret = create_provider_key(
        name="bench",
        scopes=list(ProviderScope),
        expires_at=now + timedelta(days=1),
        by=boss,
        now=now,
    )
    return secret


def milliseconds(call: Callable[[], None]) -> float:
    """Return the CPU time of one of many calls, the median of some rounds."""
    found = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(CALLS):
            call()
        found.append((time.process_time() - began) / CALLS * 1e3)
    return statistics.median(found)
