"""The worker as a program: it polls, ends cleanly, shares the work, and outlives the database."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core import mail
from django.core.mail import get_connection
from django.core.management import CommandError, call_command
from django.db import OperationalError, close_old_connections, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.management.commands import worker
from accounts.models import OutboxMessage
from accounts.services.delivery import Courier
from accounts.services.outbox import OutgoingMessage, claim_messages, enqueue_messages
from tests.accounts.mail_server import MailServer, free_port
from tests.factories import InvitationFactory


def promise(count: int = 1) -> list[OutboxMessage]:
    invitations = InvitationFactory.create_batch(count, email=True)
    kind = "partners.invitation"
    outgoing = [OutgoingMessage(kind, offer.recipient, offer, "en") for offer in invitations]
    return enqueue_messages(messages=outgoing, now=timezone.now())


def in_a_moment(act) -> threading.Timer:
    timer = threading.Timer(0.3, act)
    timer.start()
    return timer


@pytest.mark.django_db
@pytest.mark.parametrize("option", ["--once", "--drain"])
def test_worker_sends_what_waits_and_ends(option):
    promise(25)
    call_command("worker", option)
    assert len(mail.outbox) == 25
    assert OutboxMessage.objects.waiting().count() == 0


@pytest.mark.django_db
def test_worker_once_says_that_the_mail_server_is_away(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    promise()
    with pytest.raises(CommandError, match="The mail server is away"):
        call_command("worker", "--once")
    assert OutboxMessage.objects.waiting().count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_worker_and_handlers_are_put_back(number):
    before = signal.getsignal(number)
    timer = in_a_moment(lambda: os.kill(os.getpid(), number))
    call_command("worker")
    timer.join()
    assert signal.getsignal(number) == before


@pytest.mark.django_db
def test_mail_server_that_returns_is_used_within_seconds(settings, monkeypatch):
    monkeypatch.setattr(worker, "PAUSE_SECONDS", 0.1)
    server = MailServer()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = server.host, server.port, 1
    (message,) = promise()
    opened = server.running()
    timer = in_a_moment(opened.__enter__)
    try:
        call_command("worker", "--drain")
    finally:
        timer.join()
        opened.__exit__(None, None, None)
    assert server.recipients == [message.recipient]


@pytest.mark.slow
def test_worker_waits_for_tables_and_ends_with_code_zero(tmp_path):
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEMO": "1",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "EMAIL_URL": f"filemail:///{tmp_path / 'mailbox'}",
    }
    command = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "worker"]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        seen = next(line for line in lines if "worker.waiting" in line)
        assert '"trouble": "database: OperationalError"' in seen
        process.send_signal(signal.SIGTERM)
        assert "worker.stopped" in process.stderr.read()
        assert process.wait(10) == 0


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_workers_send_each_message_once():
    promise(60)
    server = MailServer()
    with server.running():
        workers = [threading.Thread(target=run_courier, args=[server]) for _ in range(2)]
        for thread in workers:
            thread.start()
        for thread in workers:
            thread.join()
    assert len(server.recipients) == 60
    assert len(set(server.recipients)) == 60
    assert OutboxMessage.objects.waiting().count() == 0


def run_courier(server: MailServer) -> None:
    backend = "django.core.mail.backends.smtp.EmailBackend"
    courier = Courier(get_connection(backend, host=server.host, port=server.port, timeout=5))
    try:
        while courier.deliver_batch():
            pass
    finally:
        connection.close()


def claimed_beside_another_claim() -> tuple[set[int], set[int]]:
    """Claim in this thread, and before that commits, in another; return what each got."""
    second: set[int] = set()

    def claim_second() -> None:
        try:
            second.update(row.pk for row in claim_messages(now=timezone.now(), limit=20))
        finally:
            connection.close()

    with transaction.atomic():
        first = {row.pk for row in claim_messages(now=timezone.now(), limit=2)}
        thread = threading.Thread(target=claim_second)
        thread.start()
        thread.join(1)
    thread.join()
    return first, second


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_claims_side_by_side_share_the_messages():
    promise(5)
    first, second = claimed_beside_another_claim()
    assert (len(first), len(second), first & second) == (2, 3, set())


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_claims_side_by_side_overlap_without_the_lock(monkeypatch):
    """The positive control of the test above: without the guard it fails."""
    monkeypatch.setattr(QuerySet, "select_for_update", lambda queryset, **options: queryset)
    promise(5)
    first, second = claimed_beside_another_claim()
    assert first & second == first


class CuttingBackend:
    """Takes mails, and cuts the courier's connection to the database while doing so."""

    def __init__(self, process_id: int) -> None:
        self.process_id: int | None = process_id
        self.sent: list[object] = []

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def send_messages(self, emails: list[object]) -> None:
        self.sent += emails
        if self.process_id is not None:
            cut_connection(self.process_id)
            self.process_id = None


def cut_connection(process_id: int) -> None:
    database = connection.settings_dict
    with psycopg.connect(
        dbname=database["NAME"],
        user=database["USER"],
        password=database["PASSWORD"] or None,
        host=database["HOST"] or None,
        port=database["PORT"] or None,
        autocommit=True,
    ) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [process_id])
    time.sleep(0.1)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_database_lost_while_sending_repeats_nothing_and_delays_nothing():
    promise(3)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = CuttingBackend(cursor.fetchone()[0])
    courier = Courier(backend)
    with pytest.raises(OperationalError):
        courier.deliver_batch()
    close_old_connections()
    assert courier.deliver_batch() == 2
    assert len(backend.sent) == 3
    assert OutboxMessage.objects.filter(sent_at__isnull=False, tries=1).count() == 3
