"""The console's search: what it finds of whom, and what it keeps from others."""

import pytest
from django.test import Client
from django.utils import timezone

from association.services import history
from association.services.customer_names import rename_customer
from tests.factories import (
    CustomerAccountFactory,
    InvitationBatchFactory,
    InvitationFactory,
    PartnerMemberFactory,
    end_by_provider,
    make_associated,
    make_attempt,
)

pytestmark = pytest.mark.django_db

URL = "/partner/search"


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True)


def client_of(member):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(member.user)
    return client


def named(boss, name):
    association = make_associated(invitation=InvitationFactory.create(partner=boss.partner))
    return rename_customer(
        association=association,
        customer_name=name,
        reference=f"K-{name}",
        note="",
        by=boss.user,
        now=timezone.now(),
    )


def found(member, q):
    context = client_of(member).get(URL, {"q": q}).context
    return (
        [line["association"].pk for line in context["customers"]],
        [invitation.pk for invitation, _state in context["invitations"]],
        [batch.pk for batch in context["batches"]],
    )


def test_everything_is_found_by_a_part_of_what_it_is_called(boss):
    customer = named(boss, "Nordwind GmbH")
    invitation = InvitationFactory.create(
        partner=boss.partner, email=True, label="x", recipient="post@nordwind.example"
    )
    batch = InvitationBatchFactory.create(partner=boss.partner, label="Stand Nordwind")
    InvitationFactory.create(partner=boss.partner, label="Other")

    assert found(boss, "RDWIN") == ([customer.pk], [invitation.pk], [batch.pk])
    assert found(boss, "k-nordwind") == ([customer.pk], [], [])
    assert found(boss, invitation.link) == ([], [invitation.pk], [])


def tried(member, q):
    return [row["attempt"].pk for row in client_of(member).get(URL, {"q": q}).context["attempts"]]


def make_tried(member, **account):
    invitation = InvitationFactory.create(partner=member.partner, created_by=member.user)
    account = CustomerAccountFactory.create(**account)
    return make_attempt(invitation=invitation, account=account)


def test_people_who_tried_to_join_are_found_by_a_part_of_their_name_or_address(boss):
    manager = PartnerMemberFactory.create(partner=boss.partner)
    attempt = make_tried(manager, name="Granitwerk AG", owner__email="it@granit.example")
    name = attempt.account.owner.account_name
    assert [tried(boss, q) for q in ("granitw", "WERK", "granit.ex", name[3:9])] == [
        [attempt.pk]
    ] * 4
    page = client_of(boss).get(URL, {"q": "granitw"}).content.decode()
    assert f'href="/partner/history/{attempt.pk}/"' in page

    assert tried(manager, "granitw") == [attempt.pk]
    assert (tried(manager, "granit.ex"), tried(manager, "it@granit.example")) == ([], [attempt.pk])
    assert tried(PartnerMemberFactory.create(partner=boss.partner), "granitw") == []
    assert tried(PartnerMemberFactory.create(administrator=True), "granitw") == []


def test_who_has_joined_is_a_customer_and_no_attempt(boss):
    account = CustomerAccountFactory.create(name="Nordwind", enabled=True)
    invitation = InvitationFactory.create(partner=boss.partner)
    customer = make_associated(invitation=invitation, account=account)
    assert found(boss, "nordwind")[0] == [customer.pk]
    assert tried(boss, "nordwind") == []


def test_only_the_latest_attempts_are_searched(boss, monkeypatch):
    monkeypatch.setattr(history, "LATEST_SEARCHED", 1)
    make_tried(boss, name="Granitwerk AG")
    later = make_tried(boss, name="Granit und Sohn")
    assert tried(boss, "granit") == [later.pk]


def test_ended_customers_are_found_too(boss):
    customer = named(boss, "Nordwind")
    end_by_provider(customer, reason="Over")
    assert found(boss, "nordwind")[0] == [customer.pk]


def test_nothing_typed_and_nothing_found_say_what_to_do(boss):
    client = client_of(boss)
    assert "Type any part of a name" in client.get(URL).content.decode()
    manager = PartnerMemberFactory.create(partner=boss.partner)
    page = client_of(manager).get(URL).content.decode()
    assert "Type any part of a name, a label or a reference, a whole address, or paste" in page
    assert "The number behind a masked address (#1234)" in page
    nothing = client.get(URL, {"q": "z&z"}).content.decode()
    assert "No customer, invitation or batch is called" in nothing
    assert 'href="/partner/history/?q=z%26z"' in nothing


def test_field_of_the_empty_search_has_the_focus(boss):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(boss.user)
    assert "autofocus" in client.get(URL).content.decode()
    assert "autofocus" not in client.get(URL, {"q": "Acme"}).content.decode()


def test_only_the_first_of_each_kind_are_shown_with_the_way_to_all(boss):
    for number in range(6):
        InvitationFactory.create(partner=boss.partner, label=f"Fair {number}")

    page = client_of(boss).get(URL, {"q": "fair"})

    assert len(page.context["invitations"]) == 5
    assert 'href="/partner/invitations/?q=fair"' in page.content.decode()


@pytest.mark.parametrize("rows", [1, 3])
def test_search_takes_the_same_statements_for_any_number_of_rows(
    boss, rows, django_assert_num_queries
):
    for number in range(rows):
        named(boss, f"Nordwind {number}")
        make_tried(boss, name=f"Nordwind {number}")
        InvitationBatchFactory.create(partner=boss.partner, label=f"Nordwind {number}")
    client = client_of(boss)

    with django_assert_num_queries(10):
        page = client.get(URL, {"q": "nordwind"})

    assert len(page.context["customers"]) == rows


def test_another_partners_things_are_never_found(boss):
    other = PartnerMemberFactory.create(administrator=True)
    named(other, "Nordwind")
    InvitationFactory.create(partner=other.partner, label="Nordwind")
    InvitationBatchFactory.create(partner=other.partner, label="Nordwind")
    assert found(boss, "nordwind") == ([], [], [])


def test_a_manager_finds_only_their_own_and_no_part_of_an_address(boss):
    manager = PartnerMemberFactory.create(partner=boss.partner)
    named(boss, "Nordwind")
    own = InvitationFactory.create(
        partner=boss.partner,
        created_by=manager.user,
        email=True,
        label="x",
        recipient="post@nordwind.example",
    )
    assert found(manager, "nordwind") == ([], [], [])
    assert found(manager, "Post@Nordwind.example") == ([], [own.pk], [])


@pytest.mark.parametrize("q", ["%00", "%", "_", "\\", "'", "a" * 600, "%ff", "\u202e"])
def test_any_input_is_answered(boss, q):
    assert client_of(boss).get(URL, {"q": q}).status_code == 200
