"""Budgets one after another: "Save and next" until no customer waits."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories import InvitationFactory, PartnerMemberFactory, make_associated
from tests.shown_forms import open_and_send

pytestmark = pytest.mark.django_db

TERMS = {"amount": "250.00", "period": "monthly", "on_exhaustion": "freeze", "unfreeze": "on"}
BUTTON = 'name="next" value="1"'


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


def told(client, answer):
    page = client.get(answer["Location"])
    return [str(message) for message in page.context["messages"]]


def test_the_queue_is_worked_off_oldest_first(boss, client):
    newest, oldest, middle = (join(boss, hours=hours) for hours in (1, 3, 2))

    answer = open_and_send(client, url(newest), {**TERMS, "next": "1"})
    assert (answer.status_code, answer["Location"]) == (303, url(oldest))
    assert told(client, answer) == ["The budget is set. The account is not frozen any more."]
    answer = open_and_send(client, url(oldest), {**TERMS, "next": "1"})
    assert answer["Location"] == url(middle)
    told(client, answer)
    assert BUTTON not in client.get(url(middle)).content.decode()

    answer = open_and_send(client, url(middle), TERMS)

    assert answer["Location"] == f"/partner/customers/{middle.pk}/"
    assert told(client, answer) == [
        "The budget is set. The account is not frozen any more."
        " No other customer waits for a budget."
    ]


def test_next_after_the_last_one_leads_to_the_overview(boss, client):
    last, other = join(boss, hours=1), join(boss, hours=2)
    open_and_send(client, url(other), TERMS)

    answer = open_and_send(client, url(last), {**TERMS, "next": "1"})

    assert answer["Location"] == "/partner/"
    assert told(client, answer)[-1].endswith("No other customer waits for a budget.")


def test_page_names_who_is_next_and_begins_in_the_amount(boss, client):
    first, second = join(boss, hours=2), join(boss, hours=1)
    page = client.get(url(first))
    assert page.context["following"] == second
    content = page.content.decode()
    assert BUTTON in content
    assert content.count(" autofocus") == 1
    [amount] = [part for part in content.split("<input") if 'name="amount"' in part]
    assert " autofocus" in amount


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
