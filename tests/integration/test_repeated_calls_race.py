"""The same call many times at once: one effect, and the same answer for all."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from association.models import Budget
from integration.models import IdempotentAnswer
from integration.services import answers
from partners.models import Invitation
from partners.services.invitations import create_invitation
from tests.factories import PartnerFactory, make_associated
from tests.integration.calls import Caller

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("waits_without_limit"),
]
LINK = {"channel": "link", "association_type": "reseller", "label": "Fair 2026"}
BUDGET = {
    "limit": {"amount": "1500.00", "currency": "USD"},
    "period": "monthly",
    "on_exhaustion": "freeze",
    "unfreeze": True,
}
THREADS, CALLS = 8, 200


def call_at_once(call, threads=THREADS, calls=CALLS):
    """Make so many calls, as many at once as there are threads; return the answers."""
    together = threading.Barrier(threads)

    def some(number):
        connection.ensure_connection()
        together.wait(timeout=20)
        try:
            return [call() for _ in range(calls // threads)]
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as programs:
        return [answer for found in programs.map(some, range(threads)) for answer in found]


def test_two_hundred_equal_calls_make_one_invitation():
    caller = Caller(PartnerFactory())
    found = call_at_once(lambda: caller.post("/invitations", LINK, Idempotency_Key="a"))

    assert {(answer.status_code, answer.content) for answer in found} == {
        (201, found[0].content),
    }
    assert len(found) == CALLS
    assert Invitation.objects.count() == IdempotentAnswer.objects.count() == 1


def test_two_hundred_equal_budgets_are_one():
    customer = make_associated()
    caller = Caller(customer.partner)
    path = f"/customers/{customer.pk}/budget"
    found = call_at_once(lambda: caller.post(path, BUDGET, Idempotency_Key="a"))

    assert {(answer.status_code, answer.content) for answer in found} == {
        (200, found[0].content),
    }
    assert Budget.objects.count() == 1


def test_more_are_made_without_the_stored_answer(monkeypatch):
    """The control: without the row, each call acts."""

    @transaction.atomic
    def act_only(row, act):
        return act()

    monkeypatch.setattr(answers, "_act_and_store", act_only)
    caller = Caller(PartnerFactory())
    call_at_once(lambda: caller.post("/invitations", LINK, Idempotency_Key="a"), calls=THREADS)

    assert Invitation.objects.count() == THREADS


def test_call_that_is_cut_off_is_completed_when_it_is_sent_again(monkeypatch):
    """The connection to the database dies between the effect and its answer."""
    caller = Caller(PartnerFactory())
    caller.client.raise_request_exception = False

    def create_and_die(**terms):
        made = create_invitation(**terms)
        # Asked of the server: through a pooler, the connection knows only the pooler's number.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            [pid] = cursor.fetchone()
        with ThreadPoolExecutor(1) as other:
            other.submit(terminate, pid).result()
        return made

    with monkeypatch.context() as patch:
        patch.setattr("integration.api.invitations.create_invitation", create_and_die)
        first = caller.post("/invitations", LINK, Idempotency_Key="a")
    connection.close()
    found = Invitation.objects.count(), IdempotentAnswer.objects.count()
    again = caller.post("/invitations", LINK, Idempotency_Key="a")

    assert (first.status_code, first.json()["code"]) == (503, "unavailable")
    assert found == (0, 0)
    assert again.status_code == 201
    assert Invitation.objects.count() == IdempotentAnswer.objects.count() == 1


def terminate(pid):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    connection.close()
