"""The counts of an invitation, a batch and the last 30 days lead to the people they count."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from association.models import Attempt
from partners.models import Partner
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
MINUTE = timedelta(minutes=1)
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


def at(day, hour=12, minute=0):
    """Return a moment in Tokyo, which is the next day there from 15:00 UTC."""
    return datetime(2026, 5, day, hour, minute, tzinfo=ZoneInfo("Asia/Tokyo"))


def follow_for_days(invitation, start, *moments):
    """Let people start long before; each then does one thing at each of these moments."""
    for moment in moments:
        make_associated(invitation=invitation, now=moment)
        for done in ({"registered_at": moment}, {"refused": True}):
            attempt = AttemptFactory.create(
                invitation=invitation, started_at=start, entered=True, **done
            )
            if "refused" in done:
                Attempt.objects.filter(pk=attempt.pk).update(decided_at=moment, refused_at=moment)


@pytest.mark.parametrize("is_manager", [False, True])
def test_each_count_of_the_overview_is_what_the_history_lists(boss, is_manager):
    Partner.objects.filter(pk=boss.partner_id).update(time_zone="Asia/Tokyo")
    reader = PartnerMemberFactory.create(partner=boss.partner) if is_manager else boss
    own = InvitationFactory.create(partner=boss.partner, created_by=reader.user)
    for invitation in (own, invite(boss)):
        # The first day is May 1st: two moments before it, and two since.
        follow_for_days(
            invitation, at(1) - timedelta(days=9), *(at(1, 0) - MINUTE, at(1) - timedelta(days=5)),
            *(at(1, 0), at(30)),
        )  # fmt: skip
        for moment in (at(1, 0) - MINUTE, at(1, 0), at(29), at(31)):
            AttemptFactory.create(invitation=invitation, started_at=moment)
    with time_machine.travel(at(31, 20), tick=False):
        client = Client(SERVER_NAME="127.0.0.1")
        client.force_login(reader.user)
        links = links_on(client, "/partner/")

        once = 1 if is_manager else 2
        counts = {"Started": 5, "Registered": 4, "Associated": 2, "Refused": 2}
        numbers = {label: number for label, (number, _url) in links.items()}
        assert counted_on(client, links) == numbers
        assert numbers == {label: once * number for label, number in counts.items()}


def test_each_cause_of_the_overview_is_what_the_history_lists(boss, client):
    AttemptFactory.create(invitation=invite(boss), entered=True, refused=True)
    earlier = AttemptFactory.create(invitation=invite(boss), entered=True, refused=True)
    long_ago = timezone.now() - timedelta(days=40)
    Attempt.objects.filter(pk=earlier.pk).update(decided_at=long_ago, refused_at=long_ago)

    [cause] = client.get("/partner/").context["causes"]

    page = client.get(cause["url"])
    assert page.context["listing"].count.number == cause["count"].number == 1


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
