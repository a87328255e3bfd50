"""The counts of an invitation and of a batch lead to the people whom they count."""

import re

import pytest
from django.test import Client

from tests.factories import (
    AttemptFactory,
    CustomerAccountFactory,
    InvitationBatchFactory,
    InvitationFactory,
    PartnerMemberFactory,
    make_associated,
    make_attempt,
)

pytestmark = pytest.mark.django_db

COUNTS = {"Started": 5, "Registered": 3, "Associated": 2, "Refused": 1}
LINK = re.compile(
    r'<a class="count-link" href="([^"]+)"><span class="visually-hidden">(\w+): </span>(\d+)</a>'
)


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True)


@pytest.fixture
def client(boss):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(boss.user)
    return client


def invite(boss, **fields):
    return InvitationFactory.create(partner=boss.partner, created_by=boss.user, **fields)


def follow(invitation):
    """Let five people follow the invitation: `COUNTS` says how far they come."""
    for _ in range(2):
        make_associated(invitation=invitation)
    make_attempt(invitation=invitation, account=CustomerAccountFactory.create())
    AttemptFactory.create(invitation=invitation, entered=True, refused=True)
    AttemptFactory.create(invitation=invitation)


def links_on(client, path):
    """Return each link's number and address, by what the people did."""
    page = client.get(path).content.decode()
    return {label: (int(number), url) for url, label, number in LINK.findall(page)}


def counted_on(client, links):
    """Return how many people the history lists behind each link."""
    pages = {
        label: client.get(url.replace("&amp;", "&")) for label, (_number, url) in links.items()
    }
    return {label: page.context["listing"].count.number for label, page in pages.items()}


def test_each_count_of_an_invitation_is_what_the_history_lists(boss, client):
    invitation, other = invite(boss), invite(boss)
    follow(invitation)
    follow(other)

    links = links_on(client, f"/partner/invitations/{invitation.pk}/")

    assert {label: number for label, (number, _url) in links.items()} == COUNTS
    assert counted_on(client, links) == COUNTS


def test_each_count_of_a_batch_is_what_the_history_lists(boss, client):
    batch = InvitationBatchFactory.create(
        partner=boss.partner, created_by=boss.user, done_count=2, size=2
    )
    follow(invite(boss, batch=batch))
    follow(invite(boss, batch=batch))
    follow(invite(boss))

    links = links_on(client, f"/partner/invitations/batches/{batch.pk}/")

    twice = {label: 2 * number for label, number in COUNTS.items()}
    assert {label: number for label, (number, _url) in links.items()} == twice
    assert counted_on(client, links) == twice


def test_each_count_in_the_list_is_what_the_history_lists(boss, client):
    follow(invite(boss))

    links = links_on(client, "/partner/invitations/")

    assert {label: number for label, (number, _url) in links.items()} == COUNTS
    assert counted_on(client, links) == COUNTS


def test_a_count_of_nobody_leads_nowhere(boss, client):
    invitation = invite(boss)

    assert links_on(client, f"/partner/invitations/{invitation.pk}/") == {}
    assert links_on(client, "/partner/invitations/") == {}


def test_the_history_names_where_its_people_came_by_and_can_forget_it(boss, client):
    batch = InvitationBatchFactory.create(partner=boss.partner, label="Fair – {n}")
    invitation = invite(boss, label="Stand at the fair", batch=batch)
    query = f"outcome=refused&invitation={invitation.pk}&batch={batch.pk}"

    page = client.get(f"/partner/history/?{query}")

    assert page.context["sources"] == [
        (
            "Stand at the fair",
            f"/partner/invitations/{invitation.pk}/",
            f"/partner/history/?outcome=refused&batch={batch.pk}",
        ),
        (
            "Fair – 1–3",
            f"/partner/invitations/batches/{batch.pk}/",
            f"/partner/history/?outcome=refused&invitation={invitation.pk}",
        ),
    ]
    assert page.content.decode().count("Remove this filter") == 2


def test_another_partners_invitation_is_not_named(client):
    invitation = InvitationFactory.create(label="Secret fair")

    page = client.get(f"/partner/history/?invitation={invitation.pk}")

    assert page.context["sources"] == [("", "", "/partner/history/?")]
    assert "Secret fair" not in page.content.decode()


@pytest.mark.parametrize("rows", [1, 3])
def test_a_batch_is_counted_with_a_constant_query_count(
    boss, client, rows, django_assert_num_queries
):
    batch = InvitationBatchFactory.create(partner=boss.partner, done_count=3)
    for _ in range(rows):
        follow(invite(boss, batch=batch))

    # session, user, member; the batch, who does not want e-mail, two for the counts, undelivered;
    # what waits
    with django_assert_num_queries(10):
        client.get(f"/partner/invitations/batches/{batch.pk}/")
