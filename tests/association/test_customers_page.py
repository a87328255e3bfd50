"""The console's page of one customer: what they show, and to whom."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import FreezeCause
from association.models import BudgetPeriod, OnExhaustion
from association.services.budget_requests import ask_partner
from association.services.customers import set_budget
from tests.factories import (
    BillFactory,
    FreezeFactory,
    InvitationFactory,
    PartnerMemberFactory,
    SpendingFactory,
    end_by_provider,
    make_associated,
)
from tests.shown_forms import open_and_send

pytestmark = pytest.mark.django_db

ENDED = "This association has ended."
TERMS = {"amount": "250.00", "period": "monthly", "on_exhaustion": "freeze"}
FORMS = ("set_budget", "freeze", "unfreeze", "assign_manager")
PAGES = ("customer", *FORMS)


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True)


@pytest.fixture
def client(boss):
    return client_of(boss.user)


def client_of(user):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    return client


def joined(member, **invitation):
    invitation = InvitationFactory.create(
        partner=member.partner, created_by=member.user, **invitation
    )
    return make_associated(invitation=invitation, now=timezone.now() - timedelta(hours=1))


def url(name, association):
    return reverse(f"console_{name}", args=[association.pk])


def test_page_shows_what_was_done_by_whom_and_why(client, boss):
    customer = joined(boss)
    SpendingFactory.create(account=customer.account, amount=Decimal("50.00"))
    open_and_send(
        client, url("set_budget", customer), {**TERMS, "unfreeze": "on", "reason": "Paid <b>"}
    )
    open_and_send(client, url("freeze", customer), {"scope": "account", "reason": "Late"})

    page = client.get(url("customer", customer))

    name = boss.user.email
    shown = [(entry.what, entry.reason, entry.who) for entry in page.context["timeline"]]
    assert shown[:5] == [
        ("Frozen by your decision (account)", "Late", name),
        ("Unfrozen, was frozen by joining", "Paid <b>", name),
        ("Set a budget: 250.00\N{NO-BREAK SPACE}USD, monthly", "", name),
        ("Frozen by joining (account)", "", "automatically"),
        ("Became your customer", "", "the customer"),
    ]
    body = page.content.decode()
    assert "50.00\N{NO-BREAK SPACE}USD of 250.00\N{NO-BREAK SPACE}USD used" in body
    assert "Paid &lt;b&gt;" in body


def test_page_offers_what_helps_a_used_up_budget_and_no_second_freeze(client, boss):
    customer = joined(boss)
    by, now = boss.user, timezone.now()
    terms = {"amount": Decimal(10), "period": "one_time", "on_exhaustion": "freeze"}
    set_budget(association=customer, unfreeze=True, by=by, now=now, **terms)

    def offers():
        page = client.get(url("customer", customer)).content.decode()
        return [label in page for label in (">Freeze</a>", ">Raise the budget</a>")]

    assert offers() == [True, False]
    SpendingFactory.create(account=customer.account, amount=Decimal(10))
    FreezeFactory.create(account=customer.account, cause=FreezeCause.BUDGET_EXHAUSTED)
    assert offers() == [False, True]


def test_page_shows_no_amount_of_a_bill(client, boss):
    customer = joined(boss)
    BillFactory.create(account=customer.account, amount=Decimal("7777.77"))

    content = client.get(url("customer", customer)).content.decode()

    # Not "777": moments with microseconds and form keys contain it by chance.
    assert "7,777" not in content
    assert "7777.77" not in content


@pytest.mark.parametrize("rows", [1, 3])
def test_page_takes_the_same_statements_for_any_past(client, boss, rows, django_assert_num_queries):
    customer = joined(boss)
    for number in range(rows):
        open_and_send(
            client, url("set_budget", customer), {**TERMS, "amount": number + 1, "unfreeze": "on"}
        )
        open_and_send(client, url("freeze", customer), {"scope": "account", "reason": "Late"})

    with django_assert_num_queries(17):
        page = client.get(url("customer", customer))

    set_budgets = [entry for entry in page.context["timeline"] if "budget" in entry.what]
    assert len(set_budgets) == rows


def test_customer_of_a_colleague_does_not_exist_for_a_manager(boss):
    customer = joined(boss)
    manager = PartnerMemberFactory.create(partner=boss.partner)
    for name in PAGES:
        assert client_of(manager.user).get(url(name, customer)).status_code == 404
    for name in FORMS:
        assert client_of(manager.user).post(url(name, customer), TERMS).status_code == 404

    customer.manager = manager
    customer.save()

    statuses = {
        name: client_of(manager.user).get(url(name, customer)).status_code for name in PAGES
    }
    assert statuses == {
        "customer": 200, "set_budget": 200, "freeze": 200, "unfreeze": 200, "assign_manager": 404,
    }  # fmt: skip


def test_customer_who_left_can_be_read_and_not_changed(client, boss):
    customer = joined(boss)
    end_by_provider(customer)
    page = client.get(url("customer", customer))
    assert (page.status_code, page.context["status"]) == (200, "Ended")
    for name in FORMS:
        page = client.get(url(name, customer))
        assert (page.status_code, page["Location"]) == (302, url("customer", customer))
        page = client.post(url(name, customer), TERMS)
        assert (page.status_code, page.context["sentence"]) == (409, ENDED)


def test_no_page_about_a_customer_is_framed_cached_or_public(client, boss):
    customer = joined(boss)
    for name in ("customer", "set_budget", "freeze", "assign_manager"):
        answer = client.get(url(name, customer))
        assert answer["Cache-Control"] == "no-store"
        stranger = Client(SERVER_NAME="127.0.0.1").get(url(name, customer))
        assert stranger.status_code == 302


def test_page_shows_that_the_customer_asks_until_a_budget_is_set(client, boss):
    customer = joined(boss)
    ask_partner(association=customer, by=customer.account.owner, now=timezone.now())

    assert client.get(url("customer", customer)).context["asked"]["for"] == "set_budget"

    set_budget(
        association=customer,
        amount=Decimal("10.00"),
        period=BudgetPeriod.MONTHLY,
        on_exhaustion=OnExhaustion.FREEZE,
        by=boss.user,
        now=timezone.now(),
    )
    assert client.get(url("customer", customer)).context["asked"] is None
