"""What a page of the journey costs in statements, literally; session and user are two of them."""

import pytest

from tests.factories import CustomerAccountFactory, InvitationFactory
from tests.journeys.walk import Walk, ready_attempt, walk_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def stranger():
    walk = Walk(InvitationFactory.create())
    walk.begin()
    return walk


# The attempt and the documents' versions; the instructions page reads their versions once more
# and their texts. Signed in: session, user, and eight for the account's record; the last pages
# read the account's coupons and resources with two more.
PAGES = [
    ("account", 2),
    ("register", 2),
    ("ask", 2),
    ("instructions", 4),
]


@pytest.mark.parametrize(("step", "statements"), PAGES)
def test_pages_before_there_is_an_account(stranger, django_assert_num_queries, step, statements):
    with django_assert_num_queries(statements):
        assert stranger.get(step).status_code == 200


def test_first_instructions(client, django_assert_num_queries):
    invitation = InvitationFactory.create()
    with django_assert_num_queries(3):
        assert client.get(f"/i/{invitation.token}/instructions").status_code == 200


def test_first_choice_of_a_referral(client, django_assert_num_queries):
    invitation = InvitationFactory.create(referral=True)
    with django_assert_num_queries(1):
        assert client.get(f"/i/{invitation.token}/account").status_code == 200


@pytest.mark.parametrize(
    ("step", "traits", "statements"),
    [
        ("check", {"internal": True}, 11),
        ("confirm", {"enabled": True}, 13),
        ("enable", {}, 13),
    ],
)
def test_pages_of_an_account(django_assert_num_queries, step, traits, statements):
    walk = walk_of(ready_attempt(account=CustomerAccountFactory.create(**traits)))
    walk.get(step)
    with django_assert_num_queries(statements):
        assert walk.get(step).status_code == 200


def test_result(django_assert_num_queries):
    walk = walk_of(ready_attempt())
    walk.post("confirm")
    walk.get("done")
    with django_assert_num_queries(10):
        assert walk.get("done").status_code == 200
