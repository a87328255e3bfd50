"""What a search for a part of a text finds, and what one for one or two letters finds."""

import pytest
from django.test import Client

from partners.models import Invitation
from partners.services.parts import is_short, part_of, part_of_address
from tests.factories import InvitationFactory, PartnerMemberFactory

pytestmark = pytest.mark.django_db

SENTENCE = "only words of names, labels and references are found that begin so."


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
        for text in ("al", "k-", "17", "de", "-17")
    ]
    assert found == [1, 1, 1, 0, 1]


@pytest.mark.parametrize(("text", "found"), [("ann", 1), ("mple", 1), ("an", 0), ("co", 0)])
def test_addresses_are_not_searched_for_one_or_two_letters(text, found):
    InvitationFactory(email=True, recipient="ann@example.com")
    rows = Invitation.objects.filter(part_of_address("recipient", text, ignores_case=True))
    assert rows.count() == found


@pytest.mark.parametrize("path", ["invitations/", "customers/", "search"])
@pytest.mark.parametrize(("text", "said"), [("al", 1), ("ald", 0), ("", 0)])
def test_pages_say_what_a_short_search_finds(path, text, said):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(PartnerMemberFactory.create(administrator=True).user)
    page = client.get(f"/partner/{path}", {"q": text}).content.decode()
    assert page.count(SENTENCE) == said
