"""A customer's page: where the customer came from, and one timeline of everything."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import FreezeScope
from association.enums import Side
from association.models import BudgetPeriod, OnExhaustion
from association.services.authorizations import request_authorization
from association.services.budget_requests import ask_partner
from association.services.customer_names import rename_customer
from association.services.customers import assign_manager, freeze_customer, set_budget
from association.services.endings import ask_to_end
from integration.enums import Scope
from integration.services.keys import create_key
from tests.factories import (
    InvitationFactory,
    PartnerMemberFactory,
    make_associated,
)

pytestmark = pytest.mark.django_db

TERMS = {
    "amount": Decimal(100),
    "period": BudgetPeriod.MONTHLY,
    "on_exhaustion": OnExhaustion.FREEZE,
}


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True)


@pytest.fixture
def start():
    return timezone.now() - timedelta(hours=12)


@pytest.fixture
def customer(boss, start):
    invitation = InvitationFactory.create(
        partner=boss.partner, created_by=boss.user, label="Stand at the fair"
    )
    return make_associated(invitation=invitation, now=start)


def page_of(member, customer):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(member.user)
    return client.get(reverse("console_customer", args=[customer.pk]))


def test_everything_stands_in_one_timeline_newest_first(boss, customer, start):
    hours = iter(range(1, 12))
    user, owner = boss.user, customer.account.owner

    def now():
        return start + timedelta(hours=next(hours))

    ask_partner(association=customer, by=owner, now=now())
    set_budget(association=customer, by=user, now=now(), **TERMS)
    freeze_customer(
        association=customer, scope=FreezeScope.ACCOUNT, reason="Late", by=user, now=now()
    )
    names = {"customer_name": "Acme", "reference": "", "note": ""}
    rename_customer(association=customer, by=user, now=now(), **names)
    assign_manager(association=customer, manager=None, by=user, now=now())
    request_authorization(association=customer, by=user, now=now())
    ask_to_end(association=customer, side=Side.PARTNER, reason="Moves away", by=user, now=now())

    timeline = page_of(boss, customer).context["timeline"]

    by = user.email
    assert [(entry.what, entry.who, entry.reason) for entry in timeline] == [
        ("Asked to end the association", by, "Moves away"),
        ("Asked for the authorization", by, ""),
        ("Changed the manager", by, ""),
        ("Changed the name, the reference or the note", by, ""),
        ("Frozen by your decision (account)", by, "Late"),
        ("Set a budget: 100.00\N{NO-BREAK SPACE}USD, monthly", by, ""),
        ("Asked you to set a budget", "the customer", ""),
        ("Frozen by joining (account)", "automatically", ""),
        ("Became your customer", "the customer", ""),
        ("Agreed to “Instructions for Associating with a Partner”, version 1", "the customer", ""),
        ("Registered an account", "the customer", ""),
        ("Followed the invitation “Stand at the fair”", "the customer", ""),
    ]


def test_page_leads_to_the_invitation_and_the_attempt(boss, customer):
    page = page_of(boss, customer).content.decode()

    invitation = reverse("console_invitation", args=[customer.invitation_id])
    assert f'<a href="{invitation}"><bdi>Stand at the fair</bdi></a>' in page
    attempt = reverse("console_attempt", args=[customer.attempt_id])
    assert f'<a href="{attempt}">Step by step</a>' in page


def test_a_manager_reads_the_label_of_a_colleagues_invitation_without_links(boss, customer):
    customer.manager = PartnerMemberFactory.create(partner=boss.partner)
    customer.save()

    page = page_of(customer.manager, customer).content.decode()

    assert "<bdi>Stand at the fair</bdi>" in page
    assert reverse("console_invitation", args=[customer.invitation_id]) not in page
    assert reverse("console_attempt", args=[customer.attempt_id]) not in page


def test_page_names_what_was_agreed_to_with_its_version(boss, customer):
    page = page_of(boss, customer)

    consents = [(row.document.title, row.document.version) for row in page.context["consents"]]
    assert consents == [("Instructions for Associating with a Partner", 1)]
    assert "Instructions for Associating with a Partner, version 1" in page.content.decode()


@pytest.mark.parametrize(("budgets", "is_folded"), [(1, False), (30, True)])
def test_what_is_older_than_the_newest_twenty_folds(boss, customer, start, budgets, is_folded):
    for minute in range(budgets):
        set_budget(
            association=customer, by=boss.user, now=start + timedelta(minutes=minute + 1), **TERMS
        )

    page = page_of(boss, customer).content.decode()

    assert ("Show what is older" in page) is is_folded
    assert page.count("Set a budget: ") == budgets


def test_programs_are_called_by_the_names_of_their_keys(boss, customer):
    key, _secret = create_key(
        partner=boss.partner,
        name="CRM",
        scopes=[Scope.BUDGETS_WRITE],
        expires_at=timezone.now() + timedelta(days=30),
        by=boss.user,
        now=timezone.now(),
    )
    set_budget(association=customer, by=key.user, now=timezone.now(), **TERMS)
    freeze_customer(
        association=customer,
        scope=FreezeScope.ACCOUNT,
        reason="Late",
        by=key.user,
        now=timezone.now(),
    )

    page = page_of(boss, customer)

    assert [entry.who for entry in page.context["timeline"]][:2] == [key.user.account_name] * 2
    assert key.user.email not in page.content.decode()
