"""How many SQL statements the actions of the console take, savepoints included."""

import secrets
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

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
        ([], set_budget_and_unfreeze, 25),
        ([set_budget], set_budget_and_unfreeze, 26),
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
