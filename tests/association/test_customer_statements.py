"""How many SQL statements the actions of the console take, savepoints included."""

import secrets
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.enums import FreezeScope
from association.models import Budget
from association.services import customers
from tests.factories import InvitationFactory, PartnerMemberFactory, make_associated
from tests.shown_forms import version_of

pytestmark = pytest.mark.django_db

TERMS = {"amount": "250.00", "period": "monthly", "on_exhaustion": "freeze"}


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True)


@pytest.fixture
def client(boss):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(boss.user)
    # The first page stores the session's language and the like.
    client.get(reverse("console_customers"))
    return client


@pytest.fixture
def customer(boss):
    return joined(boss)


def joined(member):
    invitation = InvitationFactory.create(partner=member.partner, created_by=member.user)
    return make_associated(invitation=invitation, now=timezone.now() - timedelta(hours=1))


def opened(client, name, customer, **sent):
    """Open the page, and return what sends its form."""
    address = reverse(f"console_{name}", args=[customer.pk])
    version = version_of(client.get(address))
    data = {"form_key": secrets.token_urlsafe(16), **version, **sent}
    return lambda: client.post(address, data)


def set_budget(client, customer):
    return opened(client, "set_budget", customer, **TERMS)


def set_budget_and_unfreeze(client, customer):
    return opened(client, "set_budget", customer, **TERMS, unfreeze="on", reason="Paid")


def freeze(client, customer):
    return opened(client, "freeze", customer, scope="account", reason="Late")


def unfreeze(client, customer):
    return opened(client, "unfreeze", customer, reason="Paid")


def manage(client, customer):
    return opened(client, "assign_manager", customer, manager="")


def ask(client, customer):
    return opened(client, "request_authorization", customer)


@pytest.mark.parametrize(
    ("before", "action", "statements"),
    [
        # Of one customer also: who waits next.
        ([], set_budget, 18),
        ([], set_budget_and_unfreeze, 24),
        ([set_budget], set_budget_and_unfreeze, 25),
        ([set_budget_and_unfreeze], freeze, 21),
        ([set_budget], unfreeze, 22),
        ([], manage, 15),
        ([], ask, 18),
    ],
)
def test_action_takes_so_many_statements(
    client, customer, before, action, statements, django_assert_num_queries
):
    for earlier in before:
        earlier(client, customer)()
    send = action(client, customer)
    with django_assert_num_queries(statements):
        answer = send()

    assert answer.status_code == 303


def test_budgets_of_100_customers_take_as_many_statements_as_one(
    client, boss, django_assert_num_queries
):
    keys = [joined(boss).pk for _ in range(100)]
    page = client.get(reverse("console_set_budgets"), {"customer": keys})
    sent = {**TERMS, "customer": keys, "unfreeze": "on", "form_key": "k" * 22, **version_of(page)}

    # With at most 999 parameters in a statement (SQLite, Django 5.2), 100 budgets or freezes, their
    # events and the e-mails are two INSERTs each.
    more_inserts = 3 if connection.features.max_query_params == 999 else 0

    with django_assert_num_queries(23 + more_inserts):
        answer = client.post(reverse("console_set_budgets"), sent)

    assert answer.status_code == 303
    assert Budget.objects.count() == 100


def statements_of_conflict(client, boss, number):
    """Return how many statements the page takes that says what became of so many customers."""
    joined_now = [joined(boss) for _ in range(number)]
    address = reverse("console_set_budgets")
    keys = [customer.pk for customer in joined_now]
    page = client.get(address, {"customer": keys})
    for customer in joined_now:
        for amount in ("10.00", "20.00"):
            terms = {**TERMS, "amount": Decimal(amount)}
            customers.set_budget(association=customer, by=boss.user, now=timezone.now(), **terms)
        values = {"reason": "Fraud", "by": boss.user, "now": timezone.now()}
        customers.freeze_customer(association=customer, scope=FreezeScope.ACCOUNT, **values)
    data = {"form_key": secrets.token_urlsafe(16), **version_of(page), **TERMS, "customer": keys}
    with CaptureQueriesContext(connection) as captured:
        answer = client.post(address, {**data, "unfreeze": "on", "reason": "Paid"})
    sentences = answer.context["form"].non_field_errors()
    assert answer.status_code == 409
    assert sum("the budget is" in text and "before, it was" in text for text in sentences) == number
    assert sum("froze it on" in text and "Fraud" in text for text in sentences) == number
    return len(captured)


def test_conflict_of_many_customers_takes_as_many_statements_as_of_one(client, boss):
    assert [statements_of_conflict(client, boss, number) for number in (3, 30)] == [24, 24]
