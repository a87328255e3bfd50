"""`migrate` on a busy table: it waits briefly for the lock, tries again, and gives up in words."""

import threading
from contextlib import contextmanager
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from outbox.models import OutboxMessage
from web.management.commands import migrate

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

INDEX = "outbox_with_recipient"


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    if settings.DATABASE_POOLER:
        pytest.skip("migrate needs a direct connection")
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT", "300ms")
    monkeypatch.setattr(migrate, "PAUSES", (0, 1))
    call_command("migrate", "outbox", "0001", verbosity=0)
    yield
    call_command("migrate", "outbox", verbosity=0)


def has_index():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [INDEX]
        )
        row = cursor.fetchone()
    return bool(row and row[0])


@contextmanager
def busy(until):
    """Keep the table locked on another connection until the event is set."""
    locked = threading.Event()

    def lock():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {OutboxMessage._meta.db_table}")
                locked.set()
                until.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=lock)
    thread.start()
    locked.wait(5)
    try:
        yield
    finally:
        until.set()
        thread.join()


def test_it_tries_again_when_the_table_is_free(monkeypatch):
    free, messages = threading.Event(), StringIO()
    # The lock ends during the first pause.
    monkeypatch.setattr("time.sleep", lambda _seconds: free.set())

    with busy(until=free):
        call_command("migrate", "outbox", verbosity=0, stderr=messages)

    assert "the next try is in" in messages.getvalue()
    assert has_index()


def test_it_gives_up_in_one_sentence_and_can_be_run_again():
    with busy(until=threading.Event()):
        with pytest.raises(CommandError, match="run migrate again"):
            call_command("migrate", "outbox", verbosity=0, stderr=StringIO())
        assert not has_index()

    call_command("migrate", "outbox", verbosity=0)
    assert has_index()
