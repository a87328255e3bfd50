"""A batch is one line of the list of invitations, in its place; a search finds its rows."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from partners.services.pages import Count, Order, merged_page_of
from tests.factories import (
    InvitationBatchFactory,
    InvitationFactory,
    PartnerMemberFactory,
)

pytestmark = pytest.mark.django_db

PATH = "/partner/invitations/"
NOW = timezone.now()


@pytest.fixture
def member():
    return PartnerMemberFactory.create()


@pytest.fixture
def client(member):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(member.user)
    return client


def minutes_ago(number):
    return NOW - timedelta(minutes=number)


def own(member, age, label, **fields):
    return InvitationFactory.create(
        partner=member.partner,
        created_by=member.user,
        created_at=minutes_ago(age),
        label=label,
        **fields,
    )


def batch_of(member, age, label, **fields):
    return InvitationBatchFactory.create(
        partner=member.partner,
        created_by=member.user,
        created_at=minutes_ago(age),
        label=label,
        **fields,
    )


def shown(client, query=""):
    page = client.get(f"{PATH}?{query}")
    assert page.status_code == 200
    return [
        row["batch"].title if "batch" in row else row["invitation"].label
        for row in page.context["rows"]
    ]


def test_list_says_how_many_lines_are_batches(client, member):
    own(member, 1, "New")
    batch_of(member, 2, "Fair {n}", size=5, done_count=5, refused_count=1)
    batch_of(member, 2, "Shop {n}", size=3, done_count=2)
    page = " ".join(client.get(PATH).content.decode().split())
    assert "3 results" in page
    assert "2 of them are batches. Invitations in them: 6." in page
    assert "of them are batches" not in client.get(f"{PATH}?state=live").content.decode()


def test_batch_is_one_line_in_its_place(client, member):
    own(member, 1, "New")
    batch = batch_of(member, 2, "Fair {n}", size=2)
    for number in (1, 2):
        own(member, 2, f"Fair {number}", batch=batch, used_count=number)
    own(member, 3, "Old")
    assert shown(client) == ["New", "Fair 1–2", "Old"]
    page = client.get(PATH)
    assert page.context["listing"].count == Count(3, is_more=False)
    [line] = [row for row in page.context["rows"] if "batch" in row]
    assert line["joined"] == Count(3, is_more=False)
    assert f'href="{PATH}batches/{batch.pk}/"' in page.content.decode()


@pytest.mark.parametrize(
    ("query", "labels"),
    [
        ("q=Fair+2", ["Fair 2"]),
        ("state=live", ["New", "Fair 2", "Fair 1"]),
        ("channel=link", ["New", "Fair 2", "Fair 1"]),
        ("order=used", ["Fair 2", "New", "Fair 1"]),
    ],
)
def test_search_and_filters_find_its_rows(client, member, query, labels):
    own(member, 1, "New", used_count=1)
    batch = batch_of(member, 9, "Fair {n}")
    own(member, 3, "Fair 1", batch=batch)
    own(member, 2, "Fair 2", batch=batch, used_count=2)
    assert shown(client, query) == labels


def test_manager_sees_the_line_of_no_colleague(client, member):
    colleague = PartnerMemberFactory.create(partner=member.partner)
    batch = batch_of(colleague, 1, "Theirs {n}")
    own(colleague, 1, "Theirs 1", batch=batch)
    own(member, 2, "Mine")
    assert shown(client) == ["Mine"]


def test_discarded_list_has_no_line(client, member):
    batch_of(member, 1, "Discarded", email=True, draft=True, cancelled=True)
    batch_of(member, 2, "Draft", email=True, draft=True)
    batch_of(member, 3, "Stopped", cancelled=True)
    assert shown(client) == ["Draft", "Stopped"]


def test_pages_have_every_line_once_in_order(member):
    expected = []
    for number in range(20):
        make = batch_of if number % 3 else own
        expected.append(make(member, number // 2, f"Line {number}").pk)
    sets = [member.partner.invitations.all(), member.partner.batches.all()]
    by_place = [
        row.pk
        for row in sorted(
            (row for rows in sets for row in rows), key=lambda row: (row.created_at, row.pk)
        )
    ]
    order = Order("created_at")
    keys, after = [], ""
    while True:
        page = merged_page_of(sets, order=order, after=after, size=3)
        keys += [row.pk for row in page.rows]
        if not page.after:
            break
        after = page.after
    assert keys == list(reversed(by_place))
    assert sorted(keys) == sorted(expected)
    earlier = merged_page_of(sets, order=order, before=page.before, size=3)
    assert [row.pk for row in earlier.rows] == keys[15:18]


@pytest.mark.parametrize("rows", [1, 3])
def test_list_has_a_constant_query_count(client, member, rows, django_assert_num_queries):
    for number in range(rows):
        batch = batch_of(member, number, f"Fair {number} {{n}}")
        own(member, number, "Fair", batch=batch, used_count=1)
        own(member, number, "Single")
    with django_assert_num_queries(12):
        client.get(PATH)


def test_page_of_a_hundred(client, member):
    for number in range(30):
        own(member, number, f"Single {number}")
    page = client.get(PATH)
    assert len(page.context["rows"]) == 25
    assert "?size=100" in page.content.decode()
    assert len(shown(client, "size=100")) == 30
    assert len(shown(client, "size=1000")) == 25
