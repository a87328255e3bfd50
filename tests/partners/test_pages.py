"""Long lists in pages: every row once, in order, back and forth, for any address."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from association.models import Attempt
from partners.models import Invitation
from partners.services.pages import (
    Count,
    Order,
    count_up_to,
    page_of,
    pages_of,
    united_page_of,
)
from partners.templatetags.counts import counted
from partners.views.shared import bars_of
from tests.factories import AttemptFactory, InvitationFactory, PartnerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows():
    """Make ten invitations, two of each moment and some of each use count."""
    partner, now = PartnerFactory.create(), timezone.now()
    for number in range(10):
        InvitationFactory.create(
            partner=partner,
            created_at=now - timedelta(minutes=number // 2),
            used_count=number % 3,
        )
    return Invitation.objects.all()


def walk(rows, order):
    """Return the keys of all pages, one after the other, and the last page."""
    keys, after = [], ""
    while True:
        page = page_of(rows, order=order, after=after, size=3)
        keys += [row.pk for row in page.rows]
        if not page.after:
            return keys, page
        after = page.after


@pytest.mark.parametrize(
    "order", [Order("created_at"), Order("used_count"), Order("created_at", descending=False)]
)
def test_pages_have_every_row_once_in_order(rows, order):
    sign = "-" if order.descending else ""

    keys, last = walk(rows, order)

    assert keys == [row.pk for row in rows.order_by(f"{sign}{order.field}", f"{sign}pk")]
    earlier = page_of(rows, order=order, before=last.before, size=3)
    assert [row.pk for row in earlier.rows] == keys[6:9]
    assert earlier.before
    assert earlier.after


@pytest.mark.parametrize("order", [Order("created_at"), Order("label", descending=False)])
def test_pages_of_several_sets_have_every_row_once_in_order(rows, order):
    sets = [rows.filter(used_count=number) for number in range(3)]

    def load(found):
        return found.select_related("partner")

    pages = pages_of(*sets, load=load, order=order, size=3)

    sign = "-" if order.descending else ""
    expected = list(rows.order_by(f"{sign}{order.field}", f"{sign}pk"))
    assert [row for page in pages for row in page] == expected
    find = partial(united_page_of, sets, load=load, order=order, size=3)
    second = find(after=find().after)
    assert second.rows == expected[3:6]
    assert find(before=find(after=second.after).before).rows == expected[3:6]
    assert find(before=second.before).rows == expected[:3]
    assert find(before=second.before).before == ""


def test_first_page_names_no_page_before_it(rows):
    order = Order("created_at")
    second = page_of(rows, order=order, after=page_of(rows, order=order, size=3).after, size=3)

    first = page_of(rows, order=order, before=second.before, size=3)

    assert [row.pk for row in first.rows] == walk(rows, order)[0][:3]
    assert first.before == ""


def test_rows_named_by_a_uuid_are_paged_too():
    invitation, now = InvitationFactory.create(), timezone.now()
    AttemptFactory.create_batch(7, invitation=invitation, started_at=now)

    keys, _ = walk(Attempt.objects.all(), Order("started_at"))

    assert len(set(keys)) == 7


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "x~y",
        "~",
        "2026-13-01~1",
        "2026-01-01T00:00:00+00:00~x",
        "9" * 400 + "~1",
        "\0~1",
        "0001-01-01T00:00:00+14:00~1",
        "9999-12-31T23:59:59-14:00~1",
        "2020-01-01T00:00:00~1",
        "2020-01-01~1",
    ],
)
@pytest.mark.parametrize("way", ["after", "before"])
def test_invalid_place_is_the_first_page(rows, text, way):
    order, place = Order("created_at"), {way: text}
    sets = [rows.filter(used_count=number) for number in range(3)]
    first = page_of(rows, order=order, size=3)

    assert page_of(rows, order=order, size=3, **place) == first
    united = united_page_of(sets, load=lambda found: found, order=order, size=3, **place)
    assert united.rows == first.rows


def test_a_page_is_one_statement(rows, django_assert_num_queries):
    with django_assert_num_queries(1):
        page_of(rows, order=Order("created_at"), after="x")


def test_rows_are_counted_no_further_than_the_limit(rows):
    assert count_up_to(rows, 10) == Count(10, is_more=False)
    assert count_up_to(rows, 9) == Count(9, is_more=True)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (Count(7, is_more=False), "7"),
        (Count(1000, is_more=False), "1,000"),
        (Count(1000, is_more=True), "more than 1,000"),
    ],
)
def test_counts_are_written_alike(count, text):
    assert counted(count) == text


def test_bars_are_rounded_to_the_widest():
    counts = {"started": 3, "registered": 2, "associated": 1, "refused": 0}
    bars = bars_of(**{name: Count(number, is_more=False) for name, number in counts.items()})
    assert [bar["width"] for bar in bars] == [100, 67, 33, 0]
