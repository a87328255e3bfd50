"""Reading what is no list of people: nothing but Refused is raised, in linear time."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partners.contact_lists.reading import read_list
from partners.contact_lists.records import MOST_ROWS
from partners.enums import ListProblem, RowProblem, RowRemark
from partners.list_words import describe_reading
from web.refused import Refused

PIECES = [
    *("a@x.org", "b@y.org", "Ada", "Name", "Email", "Notes", "Country", "DE", "sep=;", "@"),
    *("<", ">", '"', '""', ",", ";", "\t", "\n", "\r", " ::: ", "\x85", "\u2028", "\ufeff", "="),
    *("\u0301", "((", "x" * 129),
]
LENGTH = 500_000


def read_whatever(content):
    """Return the people of the list, or none where it is refused."""
    try:
        contacts = read_list(content, mails_notes=True)
    except Refused as refused:
        ListProblem(refused.code)
        return []
    describe_reading(contacts.reading.as_json())
    return contacts.people


def check(people):
    assert len(people) <= MOST_ROWS
    assert [person.number for person in people] == list(range(1, len(people) + 1))
    for person in people:
        assert person.problem in {"", *RowProblem}
        assert person.remark in {"", *RowRemark}
        assert not (person.problem and person.remark)
    good = [person.email for person in people if not person.problem]
    assert len(set(good)) == len(good)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=400), st.text(max_size=400)))
def test_anything_is_read_or_refused(content):
    check(read_whatever(content))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
def test_almost_lists_are_read_or_refused(text):
    check(read_whatever(text))
    check(read_whatever(text.encode("utf-16")))
    check(read_whatever(text.encode("cp1252", errors="replace")))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.from_regex(r"[a-z]{1,8}@[a-z]{1,8}\.org", fullmatch=True), min_size=1, max_size=9)
)
def test_each_address_of_a_line_is_a_row_or_named_before(addresses):
    people = read_whatever("; ".join(addresses))
    assert [person.email for person in people] == list(dict.fromkeys(addresses))


@pytest.mark.parametrize(
    "piece",
    [
        *("a", "@", "a@b", '"', '""', '"a', "<", ">", "<@", "<@>", ",", ";", "\t", "\n", " ", ":"),
        *(" ::: ", "\u0301", "\u200b", ",\n", "a,\n", '"\n', 'x","\n', "a@b.de ", "a@b.de;"),
        *("<a@b.de>", "a,<a@b.de>;", "a@b.de\n", "Name,", "Email,", "Email\n", "sep=;\n", "="),
        *("\ufffd", "(", "\x85", "a, ", "<a@b.de> ,"),
    ],
)
def test_reading_takes_a_time_that_grows_with_the_text_only(piece):
    text = piece * (LENGTH // len(piece))
    began = time.process_time()
    people = read_whatever(text)
    assert time.process_time() - began < 4
    check(people)
