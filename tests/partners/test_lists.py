"""Reading lists of people: what is read, and which rows or lists are rejected."""

import pytest

from partners.enums import RowProblem
from partners.forms.lists import read_list
from partners.refusals import SENTENCES
from web.downloads import FORMULA_STARTS
from web.refused import Refused

GOOD = [(1, "Ada", "ada@example.org", "DE", "Hello")]


def read(text):
    return [(p.number, p.name, p.email, p.country, p.note) for p in read_list(text)]


@pytest.mark.parametrize(
    "content",
    [
        "Ada,ada@example.org,DE,Hello",
        "Ada;ada@example.org;DE;Hello\r\n",
        "Ada\tada@example.org\tDE\tHello\n\n",
        b"\xef\xbb\xbfAda,Ada@Example.ORG,germany,Hello",
        '"Ada","ada@example.org",de,"Hello"',
        " Ada , ada@example.org , Germany , Hello ",
    ],
)
def test_lists_with_each_delimiter_and_encoding_are_read(content):
    assert read(content) == GOOD


def test_named_columns_come_in_any_order_and_others_are_passed_over():
    text = "\ufeffrow,E-Mail,Note,Name,reason\r\n,,,,\r\n7,ada@example.org,Hello,Ada,bad\r\n"
    assert read(text) == [(3, "Ada", "ada@example.org", "", "Hello")]


def test_addresses_alone_are_enough():
    assert read("ada@example.org\n\nbob@example.org") == [
        (1, "", "ada@example.org", "", ""),
        (3, "", "bob@example.org", "", ""),
    ]


@pytest.mark.parametrize("country", ["Kosovo", "xk", "XK"])
def test_kosovo_is_read(country):
    assert [row[3] for row in read(f"Ada,ada@example.org,{country}")] == ["XK"]


def test_notes_may_have_several_lines():
    [row] = read('Ada,ada@example.org,,"One, ""two""\nthree"')
    assert row[4] == 'One, "two"\nthree'


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("=1+1,a@example.org", "row_formula"),
        ("'=1+1,a@example.org", "row_formula"),
        ("A,+a@example.org", "row_formula"),
        ("A,a@example.org,-DE", "row_formula"),
        ("A,a@example.org,,@SUM(1)", "row_formula"),
        ('A,a@example.org,,"\t=x"', "row_formula"),
        ("\uff1d1,a@example.org", "row_formula"),
        ("A,,DE,", "row_no_address"),
        ("A,a@b", "row_bad_address"),
        ("A,a@exam\u2028ple.org", "row_bad_address"),
        ("A,First@Example.org", "row_duplicate"),
        ("A,a@example.org,Atlantis", "row_unknown_country"),
        ("A,a@example.org,CN", "row_country_not_offered"),
        ("A,a@example.org,china", "row_country_not_offered"),
        (f"{'x' * 121},a@example.org", "row_name_too_long"),
        (f"A,a@example.org,,{'x' * 501}", "row_note_too_long"),
        ("A,a@example.org,,one,two", "row_too_many_cells"),
    ],
)
def test_bad_row_says_why_and_is_kept_as_typed(row, problem):
    first, second = read_list(f"First,first@example.org,,\n{row}\n")
    assert (first.problem, second.problem) == ("", problem)
    assert second.number == 2
    assert str(SENTENCES[second.problem])


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "list_empty"),
        ("\n \n,,\n", "list_empty"),
        ("name,email\n", "list_empty"),
        ("Zoë,zoe@example.org".encode("latin-1"), "list_not_utf8"),
        ("Ada,ada@example.org".encode("utf-16"), "list_not_utf8"),
        ("Ada,ada@example.org".encode("utf-16-le"), "list_has_nul"),
        (b"\x89PNG\r\n\x1a\n\0", "list_has_nul"),
        ("Ada,ada@example.org\0", "list_has_nul"),
        ('Ada,"ada@example.org', "list_not_csv"),
        ('"Ada"x,ada@example.org', "list_not_csv"),
        (f"{'x' * 200_000},ada@example.org", "list_not_csv"),
        ("\n".join(f"p{n}@example.org" for n in range(5_001)), "list_too_many_rows"),
        ("x\n" * 50_000, "list_too_many_rows"),
    ],
)
def test_list_that_cannot_be_read_is_refused(content, code):
    with pytest.raises(Refused) as refused:
        read_list(content)
    assert refused.value.code == code


def test_five_thousand_rows_and_a_heading_are_read():
    text = "email\n" + "\n".join(f"p{n}@example.org" for n in range(5_000))
    assert len(read_list(text)) == 5_000


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_what_downloads_defend_against_does_not_come_in_by_lists(start):
    row = f'"{start}Ada",ada@example.org'
    if start == "\0":
        with pytest.raises(Refused):
            read_list(row)
    elif start.isspace():
        [person] = read_list(row)
        assert (person.name, person.problem) == ("Ada", "")
    else:
        [person] = read_list(row)
        assert person.problem == RowProblem.FORMULA


def test_cells_are_cleaned_like_what_is_typed():
    row = '"\u202eAda\nB\u200b",Ada B <mailto:ada@stra\xdfe.de?subject=x>,de ,"a\r\n\x07 b "'
    [person] = read_list(row)
    assert (person.name, person.email, person.country, person.note, person.problem) == (
        "Ada B", "ada@xn--strae-oqa.de", "DE", "a\nb", "",
    )  # fmt: skip
