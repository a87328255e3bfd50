"""Two transactions that wait for each other: both succeed, because one of them runs again."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection, transaction
from django.test import RequestFactory

from partners.models import Partner
from tests.factories import PartnerFactory, UserFactory
from web.form_keys import FORM_KEY, answer_once
from web.transactions import whole_transaction

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
PATIENCE = 20


class Crossing:
    """Two partners, each changed by two threads in opposite order."""

    def __init__(self):
        self.partners = PartnerFactory.create_batch(2, name="")
        self.gate = threading.Barrier(2)
        self.runs = []

    @transaction.atomic
    def change(self, name, *order):
        self.runs.append(name)
        for number in order:
            partner = Partner.objects.select_for_update().get(pk=self.partners[number].pk)
            Partner.objects.filter(pk=partner.pk).update(name=f"{partner.name}{name}")
            # Both have their first lock; later there is nobody to wait for.
            if self.runs.count(name) == 1 and number == order[0]:
                self.gate.wait(timeout=PATIENCE)

    def run_both(self, act):
        def run(*arguments):
            try:
                return act(*arguments)
            except OperationalError as error:
                return getattr(error.__cause__, "sqlstate", str(error))
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            both = [pool.submit(run, "a", 0, 1), pool.submit(run, "b", 1, 0)]
            return [each.result(timeout=PATIENCE) for each in both]

    def written(self):
        return [sorted(name) for name in Partner.objects.values_list("name", flat=True)]


@pytest.fixture
def crossing():
    return Crossing()


def test_both_succeed_and_each_is_written_once(crossing):
    assert crossing.run_both(whole_transaction(crossing.change)) == [None, None]
    assert crossing.written() == [["a", "b"], ["a", "b"]]
    assert len(crossing.runs) == 3


def test_without_the_second_run_one_fails(crossing):
    assert "40P01" in crossing.run_both(crossing.change)


def test_an_action_in_the_transaction_of_its_caller_runs_once(crossing):
    inner = whole_transaction(crossing.change)
    assert "40P01" in crossing.run_both(transaction.atomic(inner))
    assert len(crossing.runs) == 2


def test_an_action_behind_a_form_key_runs_again(crossing):
    user = UserFactory.create()

    def post(name, *order):
        request = RequestFactory().post("/", {FORM_KEY: name * 22})
        request.user = user
        return answer_once(request, lambda: crossing.change(name, *order) or "/done").status_code

    assert crossing.run_both(post) == [303, 303]
    assert crossing.written() == [["a", "b"], ["a", "b"]]


def test_a_second_deadlock_is_not_tried_again():
    runs = []

    @whole_transaction
    def always():
        runs.append(1)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$")

    with pytest.raises(OperationalError):
        always()
    assert len(runs) == 2


def test_another_error_is_not_tried_again():
    runs = []

    @whole_transaction
    def refused():
        runs.append(1)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 1")
            cursor.execute("SELECT pg_sleep(1)")

    with pytest.raises(OperationalError):
        refused()
    assert len(runs) == 1
