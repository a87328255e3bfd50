"""What a search for a part of a text finds, and what one for one or two letters finds."""

import pytest
from django.test import Client

from partners.models import Invitation
from partners.services.parts import is_short, part_of
from tests.factories import InvitationFactory, PartnerMemberFactory

pytestmark = pytest.mark.django_db

SENTENCE = "With one or two letters, only words are found that begin with them."


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("", True),
        ("a", True),
        ("ab", True),
        (" ab ", True),
        ("c-", True),
        ("---", True),
        ("王伟", True),
        ("abc", False),
        ("ab.", False),
        ("r-1", False),
        (".c", False),
        ("a b", False),
    ],
)
def test_what_is_short(text, short):
    assert is_short(text) == short


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ald", ["Alder Bakery"]),
        ("der", ["Alder Bakery", "Cinder"]),
        ("r b", ["Alder Bakery"]),
        ("al", ["Alder Bakery"]),
        ("BA", ["Alder Bakery"]),
        ("b", ["Alder Bakery"]),
        ("de", []),
        ("c", ["Cinder"]),
        ("-", []),
        ("%%%", []),
        ("__", []),
    ],
)
def test_any_part_is_found_and_of_one_or_two_letters_the_beginning_of_a_word(text, found):
    for label in ("Alder Bakery", "Cinder"):
        InvitationFactory(label=label)
    rows = Invitation.objects.filter(part_of(["label"], text, ignores_case=True))
    assert sorted(rows.values_list("label", flat=True)) == found


def test_each_column_is_searched():
    InvitationFactory(label="Alder", reference="K-17")
    found = [
        Invitation.objects.filter(part_of(["label", "reference"], text, ignores_case=True)).count()
        for text in ("al", "k-", "17", "lde", "-17")
    ]
    assert found == [1, 1, 0, 1, 1]


@pytest.mark.parametrize("path", ["invitations/", "customers/", "search"])
@pytest.mark.parametrize(("text", "said"), [("al", 1), ("ald", 0), ("", 0)])
def test_pages_say_what_a_short_search_finds(path, text, said):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(PartnerMemberFactory.create(administrator=True).user)
    page = client.get(f"/partner/{path}", {"q": text}).content.decode()
    assert page.count(SENTENCE) == said
