"""The same account added by several programs of the provider at once."""

import time

import pytest
from django.db import IntegrityError

from accounts.models import CustomerAccount, User
from accounts.services import customer_accounts
from accounts.services.administration import save_new_user
from audit.models import AuditEvent
from tests.association.test_races import at_once
from tests.integration.calls import ProviderCaller

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
ACCOUNT = {"external_id": "/a/b", "address": "ada@example.org", "country": "DE"}


@pytest.fixture(autouse=True)
def slowly(monkeypatch):
    """Let every call look for the account before another one has added it."""

    def save_slowly(**values):
        time.sleep(0.2)
        save_new_user(**values)

    monkeypatch.setattr(customer_accounts, "save_new_user", save_slowly)


def test_account_is_added_once_and_every_call_gets_it():
    caller = ProviderCaller()
    found = at_once(lambda _number: caller.post("/provider/accounts", ACCOUNT), range(6))

    assert sorted(answer.status_code for answer in found) == [200] * 5 + [201]
    assert len({answer.json()["account"] for answer in found}) == 1
    assert CustomerAccount.objects.count() == 1
    assert AuditEvent.objects.filter(action="account.added").count() == 1


def test_two_keys_for_one_address_are_one_account_and_a_refusal():
    caller = ProviderCaller()
    bodies = [{**ACCOUNT, "external_id": key} for key in ("a", "b")]
    found = at_once(lambda body: caller.post("/provider/accounts", body), bodies)

    assert sorted(answer.status_code for answer in found) == [201, 409]
    assert User.objects.filter(email="ada@example.org").count() == 1


def test_control_without_looking_again_a_call_is_refused(monkeypatch):
    class Once(Exception):
        """The second look is left out."""

    def add(*values):
        try:
            return real(*values)
        except IntegrityError as error:
            raise Once from error

    real = customer_accounts._add
    monkeypatch.setattr(customer_accounts, "_add", add)
    caller = ProviderCaller()
    caller.client.raise_request_exception = False
    found = at_once(lambda _number: caller.post("/provider/accounts", ACCOUNT), range(6))

    assert sorted({answer.status_code for answer in found}) == [201, 500]
