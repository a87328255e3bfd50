"""Batches of events from several clients on PostgreSQL: duplicates, another order, one killed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection, transaction
from django.db.models import Count, Sum
from django.utils import timezone

from accounts.models import Bill, Coupon, CustomerAccount, Spending
from accounts.services import fact_writes
from accounts.services.facts_import import import_facts
from accounts.services.freezes import lock_accounts
from association.services import spending_records
from association.services.spending_records import record_spending
from audit.models import AuditEvent
from tests.association.test_races import PATIENCE, at_once
from tests.factories import CustomerAccountFactory
from tests.integration.test_webhook_faults import database_url
from tests.lock_waits import wait_until_someone_waits

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("waits_without_limit"),
]

CLIENTS = 4
MOMENT = "2026-01-31T09:00:00Z"


def make_accounts(number):
    with transaction.atomic():
        made = CustomerAccountFactory.create_batch(number)
    for row in made:
        row.external_id = f"account-{row.pk}"
    CustomerAccount.objects.bulk_update(made, ["external_id"])
    return [row.external_id for row in made]


def event(number, accounts):
    """One event of spending; its amount and account follow from its number."""
    return {
        "source": "meter",
        "external_id": f"event-{number}",
        "account_external_id": accounts[number % len(accounts)],
        "amount": f"{number % 97}.{number % 100:02}",
        "occurred_at": MOMENT,
    }


def sums_of(events):
    sums = dict.fromkeys((row["account_external_id"] for row in events), Decimal())
    for row in events:
        sums[row["account_external_id"]] += Decimal(row["amount"])
    return sums


def stored_sums():
    rows = Spending.objects.values("account__external_id").annotate(total=Sum("amount"))
    return {row["account__external_id"]: row["total"] for row in rows}


def shares_of(events, *, batch, seed):
    """Return the batches of each client: each event goes to two clients, in an order of its own."""
    shuffle = random.Random(seed)  # noqa: S311 - an order, no secret
    shares = []
    for client in range(CLIENTS):
        own = [row for place, row in enumerate(events) if client in {place % 4, (place + 1) % 4}]
        shuffle.shuffle(own)
        # Within a batch too some come twice.
        batches = [own[start : start + batch] for start in range(0, len(own), batch)]
        shares.append([[*rows, *rows[:3]] for rows in batches])
    return shares


def send(batches):
    for batch in batches:
        report = record_spending(lines=batch, now=timezone.now())
        assert report.errors == []


def start_client(folder, batches):
    """Start a process that records the batches one after the other, each in its transaction."""
    lines = [json.dumps(batch) for batch in batches]
    (folder / "batches").write_text("\n".join(lines))
    program = (
        "import json, sys, django\n"
        "django.setup()\n"
        "from django.utils import timezone\n"
        "from association.services.spending_records import record_spending\n"
        "for line in open(sys.argv[1]):\n"
        "    report = record_spending(lines=json.loads(line), now=timezone.now())\n"
        "    assert not report.errors\n"
        "    print('sent', flush=True)\n"
    )
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEMO": "1",
        "DATABASE_URL": database_url(),
    }
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", program, str(folder / "batches")],
        env=environment,
        cwd=Path(django_settings.BASE_DIR),
        stdout=subprocess.PIPE,
        text=True,
    )


def send_at_once_and_kill_one(folder, shares):
    """Send the shares at the same time; kill one client between its batches, and send it again."""
    doomed = start_client(folder, shares[-1])
    assert doomed.stdout is not None
    doomed.stdout.readline()
    with ThreadPoolExecutor(CLIENTS - 1) as clients:
        running = [clients.submit(send_and_close, share) for share in shares[:-1]]
        doomed.stdout.readline()
        time.sleep(0.01)
        doomed.send_signal(signal.SIGKILL)
        assert doomed.wait(PATIENCE) == -signal.SIGKILL
        doomed.stdout.close()
        send(shares[-1])
        for share in running:
            share.result()


def send_and_close(batches):
    try:
        send(batches)
    finally:
        connection.close()


def check(events):
    assert stored_sums() == sums_of(events)
    assert Spending.objects.count() == len(events)
    created = AuditEvent.objects.filter(action="spending.recorded", before__isnull=True)
    assert created.aggregate(n=Count("object_id", distinct=True))["n"] == len(events)
    assert AuditEvent.objects.count() == len(events)


def test_sums_are_exact_after_duplicates_another_order_and_a_kill(tmp_path):
    accounts = make_accounts(20)
    events = [event(number, accounts) for number in range(2_000)]
    send_at_once_and_kill_one(tmp_path, shares_of(events, batch=50, seed=1))
    check(events)


@pytest.mark.long
def test_hundred_thousand_events_are_exact(tmp_path, capsys):
    accounts = make_accounts(1_000)
    events = [event(number, accounts) for number in range(100_000)]
    began = time.monotonic()
    send_at_once_and_kill_one(tmp_path, shares_of(events, batch=1_000, seed=2))
    seconds = time.monotonic() - began
    with capsys.disabled():
        sys.stdout.write(f"\n200,600 events sent in {seconds:.0f} s\n")
    check(events)


def test_control_without_the_locks_and_constraint_events_are_counted_twice(monkeypatch):
    """Each client looks for what is stored before the others have written."""
    monkeypatch.setattr(fact_writes, "lock_accounts", lambda keys: {})
    find = fact_writes.find_changes

    def find_slowly(rows):
        found = find(rows)
        time.sleep(0.05)
        return found

    monkeypatch.setattr(fact_writes, "find_changes", find_slowly)
    monkeypatch.setattr(spending_records, "write_facts", write_under_other_names)
    accounts = make_accounts(2)
    events = [event(number, accounts) for number in range(40)]
    at_once(send, [[events]] * CLIENTS)
    assert stored_sums() != sums_of(events)


def write_under_other_names(changes, **_options):
    """Write as without the constraint on source and external id."""
    for row, _old in changes:
        row.external_id = f"{row.external_id} {random.random()}"  # noqa: S311 - no secret
    Spending.objects.bulk_create([row for row, _old in changes])


def fact(kind, account, number):
    fields: dict[str, dict[str, Any]] = {
        "bill": {"amount": "5.00", "paid_amount": "0.00", "issued_at": MOMENT},
        "coupon": {"balance": "5.00"},
        "account": {"is_internal": True},
    }
    name = f"{kind}-{number}"
    key = {"kind": kind, "source": "crm", "external_id": name, "account_external_id": account}
    return key | fields[kind]


def load(lines):
    report = import_facts(lines=lines, now=timezone.now())
    assert report.errors == []
    return report.created + report.updated


def test_batches_of_facts_in_another_order_do_not_lock_each_other_out():
    accounts = make_accounts(30)
    lines = [
        fact(kind, account, account)
        for account in accounts
        for kind in ("bill", "account", "coupon")
    ]
    done = at_once(load, [lines, lines[::-1], lines, lines[::-1]])
    assert sorted(done) == [0, 0, 0, len(lines)]
    assert (Bill.objects.count(), Coupon.objects.count()) == (30, 30)


def test_batches_that_give_the_same_facts_to_other_accounts_end_with_one_of_them():
    accounts = make_accounts(8)
    shares = [
        [fact("bill", accounts[2 * client + number % 2], number) for number in range(60)]
        for client in range(CLIENTS)
    ]
    at_once(load, [share if client % 2 else share[::-1] for client, share in enumerate(shares)])
    assert Bill.objects.count() == 60
    # The last one that wrote has changed what it found: none believed to create a second time.
    events = AuditEvent.objects.filter(action="bill.imported")
    assert events.filter(before__isnull=True).count() == 60
    assert Bill.objects.values("account").distinct().count() == 2


def test_batch_of_other_accounts_does_not_wait():
    mine, others = make_accounts(2)
    with ThreadPoolExecutor(2) as clients:
        with transaction.atomic():
            list(CustomerAccount.objects.select_for_update().filter(external_id=mine))
            waiting = clients.submit(send_and_close, [[event(0, [mine])]])
            wait_until_someone_waits()
            clients.submit(send_and_close, [[event(1, [others])]]).result(timeout=PATIENCE)
            assert not waiting.done()
        waiting.result(timeout=PATIENCE)
    assert Spending.objects.count() == 2


def test_control_locks_in_another_order_are_a_deadlock():
    accounts = CustomerAccount.objects.filter(external_id__in=make_accounts(2))
    keys = list(accounts.values_list("pk", flat=True))

    def lock_both(order):
        try:
            with transaction.atomic():
                for key in order:
                    lock_accounts([key])
                    time.sleep(0.3)
        except OperationalError:
            return "deadlock"
        return "locked"

    assert sorted(at_once(lock_both, [keys, keys[::-1]])) == ["deadlock", "locked"]
