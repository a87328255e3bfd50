"""The worker as a program: it polls, stops, shares the work, and survives a lost database."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
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

from outbox.management.commands import worker
from outbox.models import OutboxMessage
from outbox.services.delivery import MailSender
from outbox.services.queue import OutgoingMessage, claim_messages, enqueue_messages
from partners.models import InvitationBatch
from tests.factories import InvitationBatchFactory, InvitationFactory
from tests.outbox.mail_server import MailServer, free_port


def enqueue(count: int = 1) -> list[OutboxMessage]:
    invitations = InvitationFactory.create_batch(count, email=True)
    kind = "partners.invitation"
    outgoing = [OutgoingMessage(kind, offer.recipient, offer, "en") for offer in invitations]
    return enqueue_messages(messages=outgoing, now=timezone.now())


def call_soon(function) -> threading.Timer:
    timer = threading.Timer(0.3, function)
    timer.start()
    return timer


@pytest.mark.django_db
@pytest.mark.parametrize("option", ["--once", "--drain"])
def test_worker_sends_waiting_messages_and_ends(option):
    enqueue(25)
    call_command("worker", option)
    assert len(mail.outbox) == 25
    assert OutboxMessage.objects.waiting().count() == 0


@pytest.mark.django_db
def test_worker_once_reports_that_the_mail_server_is_away(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    enqueue()
    with pytest.raises(CommandError, match="The mail server is away"):
        call_command("worker", "--once")
    assert OutboxMessage.objects.waiting().count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_worker_and_handlers_are_restored(number):
    before = signal.getsignal(number)
    timer = call_soon(lambda: os.kill(os.getpid(), number))
    call_command("worker")
    timer.join()
    assert signal.getsignal(number) == before


@pytest.mark.django_db
def test_mail_server_is_used_within_seconds_of_its_return(settings, monkeypatch):
    monkeypatch.setattr(worker, "PAUSE_SECONDS", 0.1)
    server = MailServer()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = server.host, server.port, 1
    (message,) = enqueue()
    opened = server.running()
    timer = call_soon(opened.__enter__)
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
    enqueue(60)
    server = MailServer()
    with server.running():
        workers = [threading.Thread(target=run_sender, args=[server]) for _ in range(2)]
        for thread in workers:
            thread.start()
        for thread in workers:
            thread.join()
    assert len(server.recipients) == 60
    assert len(set(server.recipients)) == 60
    assert OutboxMessage.objects.waiting().count() == 0


def run_sender(server: MailServer) -> None:
    backend = "django.core.mail.backends.smtp.EmailBackend"
    sender = MailSender(get_connection(backend, host=server.host, port=server.port, timeout=5))
    try:
        while sender.deliver_batch():
            pass
    finally:
        connection.close()


def claim_in_two_threads() -> tuple[set[int], set[int]]:
    """Claim in this thread, and before it commits in another; return the rows of each."""
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
def test_concurrent_claims_share_the_messages():
    enqueue(5)
    first, second = claim_in_two_threads()
    assert (len(first), len(second), first & second) == (2, 3, set())


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_concurrent_claims_overlap_without_the_lock(monkeypatch):
    """The positive control of the test above: without the lock it would fail."""
    monkeypatch.setattr(QuerySet, "select_for_update", lambda queryset, **options: queryset)
    enqueue(5)
    first, second = claim_in_two_threads()
    assert first & second == first


class CuttingBackend:
    """Accepts e-mails, and at the first cuts the sender's connection to the database."""

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
def test_database_lost_while_sending_repeats_and_delays_no_message():
    if settings.DATABASE_POOLER:
        pytest.skip("a pooler replaces the connection, and nothing is lost")
    enqueue(3)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = CuttingBackend(cursor.fetchone()[0])
    sender = MailSender(backend)
    with pytest.raises(OperationalError):
        sender.deliver_batch()
    close_old_connections()
    assert sender.deliver_batch() == 2
    assert len(backend.sent) == 3
    assert OutboxMessage.objects.filter(sent_at__isnull=False, tries=1).count() == 3


@contextmanager
def row_of_another_worker(queryset):
    """Lock the rows as another worker does while it works on them; yields how to let go."""
    locked, free = threading.Event(), threading.Event()

    def work() -> None:
        try:
            with transaction.atomic():
                list(queryset.select_for_update())
                locked.set()
                free.wait(10)
                queryset.update(cancelled_at=timezone.now())
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    locked.wait(10)
    try:
        yield free
    finally:
        free.set()
        thread.join()


def drain_beside_another_worker() -> bool:
    """Return whether `--drain` waited for the batch that another worker has locked."""
    batch = InvitationBatchFactory.create()
    ended = threading.Event()

    def drain() -> None:
        try:
            call_command("worker", "--drain")
        finally:
            connection.close()
            ended.set()

    with row_of_another_worker(InvitationBatch.objects.filter(pk=batch.pk)) as free:
        thread = threading.Thread(target=drain)
        thread.start()
        waited = not ended.wait(2.5)
        free.set()
        thread.join(10)
    assert ended.is_set()
    return waited


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_drain_waits_for_the_batch_of_another_worker():
    assert drain_beside_another_worker()


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_drain_ends_too_early_when_it_does_not_look_for_batches(settings):
    """The positive control of the test above: without the guard it would fail."""
    settings.UNFINISHED_WORK = []
    assert not drain_beside_another_worker()


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_drain_waits_for_the_email_that_another_worker_has_claimed():
    (message,) = enqueue()
    claim_messages(now=timezone.now(), limit=1)

    def send_in_the_other_worker() -> None:
        OutboxMessage.objects.filter(pk=message.pk).update(sent_at=timezone.now())
        connection.close()

    timer = threading.Timer(1.5, send_in_the_other_worker)
    timer.start()
    began = time.monotonic()
    call_command("worker", "--drain")
    waited = time.monotonic() - began
    timer.join()
    assert waited > 1.4
    assert mail.outbox == []
