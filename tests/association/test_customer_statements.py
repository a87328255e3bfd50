"""How many SQL statements the actions of the console take, savepoints included."""

import secrets
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from association.models import Budget
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
        ([], set_budget, 15),
        ([], set_budget_and_unfreeze, 19),
        ([set_budget], set_budget_and_unfreeze, 20),
        ([set_budget_and_unfreeze], freeze, 18),
        ([set_budget], unfreeze, 20),
        ([], manage, 14),
        ([], ask, 16),
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

    # With at most 999 parameters in a statement (SQLite, Django 5.2), 100 e-mails are two INSERTs.
    more_inserts = 1 if connection.features.max_query_params == 999 else 0

    with django_assert_num_queries(19 + more_inserts):
        answer = client.post(reverse("console_set_budgets"), sent)

    assert answer.status_code == 303
    assert Budget.objects.count() == 100
