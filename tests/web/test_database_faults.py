"""A database that is swallowed, closes connections or makes wait: 503 in time, then well again."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunning

import pytest
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import (
    OperationalError,
    close_old_connections,
    connection,
    connections,
    transaction,
)
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path

from accounts.models import CustomerAccount
from config.databases import statement_limits
from partners.models import Partner
from tests.factories import CustomerAccountFactory, InvitationFactory, PartnerFactory
from tests.lock_waits import someone_waits
from tests.web.black_hole import black_hole
from web import fixed_queries
from web.postgresql.driver import WaitedTooLong
from web.waits import waiting_at_most

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
PATIENCE = 3


@login_not_required
def lock_all(request):
    with transaction.atomic():
        for account in CustomerAccount.objects.order_by("pk"):
            CustomerAccount.objects.select_for_update().get(pk=account.pk)
    return HttpResponse("locked")


@login_not_required
def write_to_a_standby(request):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        Partner.objects.update(name="Written")


handler500 = "web.errors.server_error"
urlpatterns = [
    path("lock-all", lock_all),
    path("write", write_to_a_standby),
    path("", include("config.urls")),
]


@pytest.fixture
def hole():
    """Lead new connections through a proxy; those of the pages have the limits of production."""
    # The connection of the test itself stays a direct one.
    connection.ensure_connection()
    database = connection.settings_dict
    before = {name: database[name] for name in ("HOST", "PORT", "OPTIONS")}
    limits = " ".join(f"-c {name}={ms}" for name, ms in statement_limits(2000).items())
    # Behind a pooler the role has them.
    options = {} if settings.DATABASE_POOLER else {"options": limits}
    with black_hole(before["HOST"] or "127.0.0.1", int(before["PORT"] or 5432)) as made:
        database |= {"HOST": "127.0.0.1", "PORT": str(made.port)}
        database["OPTIONS"] = {**before["OPTIONS"], **options}
        yield made
    database |= before


@pytest.fixture
def visit(hole):
    """Return a function that visits pages in a thread with a connection of its own."""
    with ThreadPoolExecutor(1) as pool:
        client = Client(raise_request_exception=False)

        def visit_page(address, patience=PATIENCE):
            # As at the beginning of each request under gunicorn.
            pool.submit(close_old_connections).result(timeout=patience)
            begun = time.monotonic()
            answer = pool.submit(client.get, address).result(timeout=patience)
            assert time.monotonic() - begun < patience
            return answer

        visit_page.run = pool.submit  # type: ignore[attr-defined]
        yield visit_page
        hole.close_connections()
        pool.submit(connections.close_all).result(timeout=PATIENCE)


@pytest.mark.parametrize("address", ["/i/{}", "/i/{}/instructions", "/readyz"])
def test_a_swallowed_connection_is_a_503_in_time_and_then_replaced(hole, visit, address):
    address = address.format(InvitationFactory.create().token)
    assert visit(address).status_code == 200
    hole.swallows = True
    swallowed = visit(address)
    assert (swallowed.status_code, swallowed["Retry-After"]) == (503, "10")
    assert visit(address).status_code == 503
    hole.swallows = False
    assert visit(address).status_code == 200


def test_without_the_limit_a_swallowed_connection_hangs(hole, visit, settings):
    settings.REQUEST_WAIT_SECONDS = None
    address = f"/i/{InvitationFactory.create().token}"
    assert visit(address).status_code == 200
    hole.swallows = True
    with pytest.raises(StillRunning):
        visit(address)


def test_a_commit_that_is_swallowed_ends_in_time(hole, visit):
    partner = PartnerFactory.create()

    @transaction.atomic
    def change():
        Partner.objects.filter(pk=partner.pk).update(name="Swallowed")
        hole.swallows = True

    def change_in_half_a_second():
        with waiting_at_most(0.5), pytest.raises(OperationalError) as caught:
            change()
        return caught.value.__cause__

    visit.run(Partner.objects.exists).result(timeout=PATIENCE)
    begun = time.monotonic()
    cause = visit.run(change_in_half_a_second).result(timeout=PATIENCE)
    assert isinstance(cause, WaitedTooLong)
    assert 0.5 <= time.monotonic() - begun < 1
    assert hole.swallows


def test_outside_of_a_request_one_statement_ends_in_time(hole, visit, monkeypatch):
    """What an answer streams, for example."""
    monkeypatch.setitem(connection.settings_dict, "LONGEST_WAIT", 0.5)
    visit.run(Partner.objects.exists).result(timeout=PATIENCE)
    hole.swallows = True
    begun = time.monotonic()
    with pytest.raises(OperationalError):
        visit.run(Partner.objects.exists).result(timeout=PATIENCE)
    assert 0.5 <= time.monotonic() - begun < 1
    # The statement still waits for its answer, so nothing else may be sent through it.
    assert visit.run(lambda: connection.connection.closed).result(timeout=PATIENCE)


@pytest.mark.urls(__name__)
def test_a_database_that_has_become_a_standby_is_503(visit):
    PartnerFactory.create()
    assert visit("/write").status_code == 503


@pytest.mark.parametrize("address", ["/i/{}", "/i/{}/instructions", "/readyz"])
def test_a_connection_that_was_closed_is_replaced_without_an_error(hole, visit, address):
    address = address.format(InvitationFactory.create().token)
    assert visit(address).status_code == 200
    hole.close_connections()
    assert visit(address).status_code == 200


def test_without_the_second_try_a_closed_connection_is_a_503(hole, visit, monkeypatch):
    address = f"/i/{InvitationFactory.create().token}"
    assert visit(address).status_code == 200
    monkeypatch.setattr(fixed_queries, "_is_closed", lambda _connection: False)
    hole.close_connections()
    assert visit(address).status_code == 503


def test_the_landing_page_is_prepared_once_and_not_checked_before(visit):
    addresses = [f"/i/{invitation.token}" for invitation in InvitationFactory.create_batch(3)]
    assert {visit(address).status_code for address in addresses} == {200}

    def prepared():
        with connection.cursor() as cursor:
            cursor.execute("SELECT generic_plans + custom_plans FROM pg_prepared_statements")
            return cursor.fetchall()

    visits = [] if settings.DATABASE_POOLER else [(3,)]
    assert visit.run(prepared).result(timeout=PATIENCE) == visits


@pytest.fixture
def locked_one_after_the_other():
    """Lock three accounts; each is free 1.2 seconds after the one before."""
    accounts = CustomerAccountFactory.create_batch(3)
    ready, end = threading.Barrier(4), threading.Event()

    def keep(account, seconds):
        try:
            with transaction.atomic():
                CustomerAccount.objects.select_for_update().get(pk=account.pk)
                ready.wait(timeout=20)
                end.wait(seconds)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        for number, account in enumerate(accounts, start=1):
            pool.submit(keep, account, 1.2 * number)
        ready.wait(timeout=20)
        yield
        end.set()


@pytest.mark.urls(__name__)
@pytest.mark.usefixtures("locked_one_after_the_other")
def test_waiting_for_several_locks_ends_in_time(visit):
    """No single lock takes longer than `lock_timeout`."""
    assert visit("/lock-all").status_code == 503
    assert_nothing_waits()


@pytest.mark.urls(__name__)
@pytest.mark.usefixtures("locked_one_after_the_other")
def test_without_the_limit_waiting_for_locks_adds_up(visit, settings):
    settings.REQUEST_WAIT_SECONDS = None
    begun = time.monotonic()
    assert visit("/lock-all", patience=8).status_code == 200
    assert time.monotonic() - begun > PATIENCE


def assert_nothing_waits():
    """Check that the server has noticed within a second that nobody waits for the transaction."""
    pause = threading.Event()
    for _ in range(20):
        if not someone_waits():
            return
        pause.wait(0.05)
    pytest.fail("A transaction still waits for a lock.")
