"""Budgets one after another: "Save and next" until no customer waits."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories import (
    InvitationFactory,
    PartnerMemberFactory,
    end_by_provider,
    make_associated,
)
from tests.shown_forms import open_and_send, version_of

pytestmark = pytest.mark.django_db

TERMS = {"amount": "250.00", "period": "monthly", "on_exhaustion": "freeze", "unfreeze": "on"}


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True)


@pytest.fixture
def client(boss):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(boss.user)
    return client


def join(member, *, hours, **invitation):
    invitation = InvitationFactory.create(
        partner=member.partner, created_by=member.user, **invitation
    )
    return make_associated(invitation=invitation, now=timezone.now() - timedelta(hours=hours))


def url(customer):
    return f"/partner/customers/{customer.pk}/budget"


def button(customer):
    return f'name="next" value="{customer.pk}"'


def told(client, answer):
    page = client.get(answer["Location"])
    return [str(message) for message in page.context["messages"]]


def test_the_queue_is_worked_off_oldest_first(boss, client):
    newest, oldest, middle = (join(boss, hours=hours) for hours in (1, 3, 2))

    answer = open_and_send(client, url(newest), {**TERMS, "next": oldest.pk})
    assert (answer.status_code, answer["Location"]) == (303, url(oldest))
    done = "The budget is set. The account is not frozen any more."
    assert told(client, answer) == [f"{newest.shown_name}: {done}"]
    answer = open_and_send(client, url(oldest), {**TERMS, "next": middle.pk})
    assert answer["Location"] == url(middle)
    told(client, answer)
    assert 'name="next"' not in client.get(url(middle)).content.decode()

    answer = open_and_send(client, url(middle), TERMS)

    assert answer["Location"] == f"/partner/customers/{middle.pk}/"
    assert told(client, answer) == [
        f"{middle.shown_name}: {done} No other customer waits for a budget."
    ]


def test_next_after_the_last_one_leads_to_the_overview(boss, client):
    last, other = join(boss, hours=1), join(boss, hours=2)
    open_and_send(client, url(other), TERMS)

    answer = open_and_send(client, url(last), {**TERMS, "next": other.pk})

    assert answer["Location"] == "/partner/"
    assert told(client, answer)[-1].endswith("No other customer waits for a budget.")


def test_page_names_who_is_next_and_begins_in_the_amount(boss, client):
    first, second = join(boss, hours=2), join(boss, hours=1)
    page = client.get(url(first))
    assert page.context["following"] == second
    content = page.content.decode()
    assert button(second) in content
    assert second.shown_name in content
    assert content.count(" autofocus") == 1
    [amount] = [part for part in content.split("<input") if 'name="amount"' in part]
    assert " autofocus" in amount


def test_next_is_the_customer_whom_the_page_named(boss, client):
    """Also if there is meanwhile one who has waited longer."""
    first, named = join(boss, hours=2), join(boss, hours=1)
    page = client.get(url(first))
    longer = join(boss, hours=9)

    answer = client.post(url(first), {**version_of(page), **TERMS, "next": named.pk})

    assert answer["Location"] == url(named)
    assert client.get(url(named)).context["following"] == longer


@pytest.mark.parametrize("has_budget", [True, False])
def test_next_goes_on_with_another_when_the_named_one_waits_no_longer(boss, client, has_budget):
    first, named, other = (join(boss, hours=hours) for hours in (3, 2, 1))
    page = client.get(url(first))
    if has_budget:
        open_and_send(client, url(named), TERMS)
    else:
        end_by_provider(named)

    answer = client.post(url(first), {**version_of(page), **TERMS, "next": named.pk})

    assert answer["Location"] == url(other)


@pytest.mark.parametrize("named", ["", "x", "-1", "9" * 30])
def test_next_that_is_no_key_is_404_and_sets_nothing(boss, client, named):
    customer = join(boss, hours=1)
    answer = open_and_send(client, url(customer), {**TERMS, "next": named})
    assert (answer.status_code, customer.budgets.exists()) == (404, False)


def test_a_strangers_customer_is_never_next(boss, client):
    first, second = join(boss, hours=2), join(boss, hours=1)
    theirs = join(PartnerMemberFactory.create(), hours=9)
    answer = open_and_send(client, url(first), {**TERMS, "next": theirs.pk})
    assert answer["Location"] == url(second)


def test_a_rejected_form_puts_the_focus_on_its_errors(boss, client):
    customer = join(boss, hours=1)
    page = open_and_send(client, url(customer), {**TERMS, "amount": "much"})
    assert page.status_code == 400
    assert page.content.decode().count(" autofocus") == 1


def test_nothing_is_said_of_a_queue_that_the_customer_was_not_in(boss, client):
    customer = join(boss, hours=1)
    open_and_send(client, url(customer), TERMS)
    answer = open_and_send(client, url(customer), {**TERMS, "amount": "300"})
    assert "No other customer" not in told(client, answer)[-1]


def test_a_manager_goes_on_with_their_own_customers_only(boss):
    manager = PartnerMemberFactory.create(partner=boss.partner)
    join(boss, hours=3)
    own = join(manager, hours=1)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(manager.user)
    assert client.get(url(own)).context["following"] is None


@pytest.mark.parametrize("rows", [1, 3])
def test_form_takes_the_same_statements(boss, client, rows, django_assert_num_queries):
    customer = join(boss, hours=9)
    for hour in range(rows):
        join(boss, hours=hour)
    # session, user, member; the customer, who is next; spent; freezes, budget; what waits
    with django_assert_num_queries(10):
        client.get(url(customer))
