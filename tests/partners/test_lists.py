"""Reading lists of people: what is read, and which rows or lists are rejected."""

import pytest

from partners.contact_lists.reading import read_list
from partners.contact_lists.records import MOST_ROWS
from partners.enums import RowProblem
from partners.refusals import SENTENCES
from web.downloads import FORMULA_STARTS
from web.refused import Refused

GOOD = [(1, "Ada", "ada@example.org", "DE")]


def people_of(content, **options):
    return read_list(content, **options).people


def read(text):
    return [(p.row_number, p.name, p.email, p.country) for p in people_of(text)]


def problems_of(text):
    return [(p.email, p.problem) for p in people_of(text)]


@pytest.mark.parametrize(
    "content",
    [
        "Ada,ada@example.org,DE",
        "Ada;ada@example.org;DE\r\n",
        "Ada\tada@example.org\tDE\n\n",
        b"\xef\xbb\xbfAda,Ada@Example.ORG,germany",
        '"Ada","ada@example.org",de',
        " Ada , ada@example.org , Germany ",
        "Ada,ada@example.org,DE\rAda;;;",
        "Ada,ada@example.org,DE".encode("utf-16"),
    ],
)
def test_lists_with_each_delimiter_and_encoding_are_read(content):
    assert read(content)[:1] == GOOD


def test_named_columns_come_in_any_order_and_others_are_passed_over():
    text = "\ufeffrow,E-Mail,Note,Name,reason\r\n,,,,\r\n7,ada@example.org,Hello,Ada,bad\r\n"
    [person] = people_of(text)
    assert (person.row_number, person.name, person.email, person.note) == (
        3, "Ada", "ada@example.org", "Hello",
    )  # fmt: skip


def test_addresses_alone_are_enough():
    assert read("ada@example.org\n\nbob@example.org") == [
        (1, "", "ada@example.org", ""),
        (3, "", "bob@example.org", ""),
    ]


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("ada@x.org; bo@y.org", [("", "ada@x.org"), ("", "bo@y.org")]),
        ("ada@x.org bo@y.org", [("", "ada@x.org"), ("", "bo@y.org")]),
        ("Ada <ada@x.org> Bo <bo@y.org>", [("Ada", "ada@x.org"), ("Bo", "bo@y.org")]),
        ('"Bo, B." <bo@y.org>', [("Bo, B.", "bo@y.org")]),
        ("Li, Bo <bo@y.org>, <c@z.org>", [("Li, Bo", "bo@y.org"), ("", "c@z.org")]),
        ("Ada;ada@x.org;bo@y.org", [("Ada", "ada@x.org"), ("Ada", "bo@y.org")]),
        ("Ada,ada@x.org\nbo@y.org,Bo", [("Ada", "ada@x.org"), ("Bo", "bo@y.org")]),
        ("Name,Mail\nAda,a@x.org ::: b@x.org", [("Ada", "a@x.org"), ("Ada", "b@x.org")]),
        ("Name,Mail\nAda,B <a@x.org>", [("Ada", "a@x.org")]),
        ("Name,Mail\nAda,B <a@x.org>; c@x.org", [("B", "a@x.org"), ("Ada", "c@x.org")]),
        ("Name,Mail\nAda,a@x.org; A@X.org", [("Ada", "a@x.org")]),
        ("Mail\n<mailto:a@x.org?subject=b>", [("", "a@x.org")]),
        ("First name,Last name,Mail\nAda,,a@x.org", [("Ada", "a@x.org")]),
        ("Vorname,Name,Mail\nAda,Groß,a@x.org", [("Ada Groß", "a@x.org")]),
        ("Ada,Quist,a@x.org", [("Ada Quist", "a@x.org")]),
        ("1,Ada,a@x.org\n2,Bo,b@x.org", [("Ada", "a@x.org"), ("Bo", "b@x.org")]),
    ],
)
def test_each_address_is_a_person_with_its_own_name(text, people):
    found = people_of(text)
    assert [(p.name, p.email) for p in found] == people
    assert [p.number for p in found] == list(range(1, len(people) + 1))
    assert {p.problem for p in found} == {""}


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Lovelace, Ada; ada@example.org", "Lovelace, Ada"),
        ("Lovelace, Ada\tada@example.org", "Lovelace, Ada"),
        ('"Lovelace, Ada"; ada@example.org', "Lovelace, Ada"),
        ("Ada; ada@example.org", "Ada"),
    ],
)
def test_comma_in_a_name_divides_nothing_where_another_sign_does(line, name):
    """Also among lines with commas, by which the list is divided."""
    bob = (1, "Bob", "bob@example.org", "")
    people = people_of(f"Bob, bob@example.org\n{line}")
    assert read(f"Bob, bob@example.org\n{line}") == [bob, (2, name, "ada@example.org", "")]
    assert [(person.problem, person.remark) for person in people] == [("", "")] * 2


def test_country_beside_a_name_is_no_part_of_it():
    [_bob, country, ada] = people_of("Bob, bob@example.org\nAda, Germany; ada@example.org")
    assert (country.problem, ada.name) == (RowProblem.BAD_ADDRESS, "Ada")


def test_lines_of_addresses_may_be_of_any_length():
    line = "; ".join(f"Ada {n} <p{n}@example.org>" for n in range(400))
    people = people_of(f"ada@x.org\nb@x.org; c@x.org\n{line}\n")
    assert [p.email for p in people[:3]] == ["ada@x.org", "b@x.org", "c@x.org"]
    assert (len(people), {p.problem for p in people}) == (403, {""})


def test_text_beside_an_address_is_not_lost():
    assert problems_of("Mail\nada@x.org; none") == [("ada@x.org", ""), ("none", "row_bad_address")]
    assert problems_of("Mail\nada b@x.org") == [("ada b@x.org", "row_bad_address")]


def test_first_row_without_an_address_is_a_heading_only_if_it_names_a_column():
    assert problems_of("Ada,,DE\nBob,bob@x.org,DE") == [("", "row_no_address"), ("bob@x.org", "")]
    assert problems_of("Name,Tel\nbob@x.org,1") == [("bob@x.org", "")]


@pytest.mark.parametrize("country", ["Kosovo", "xk", "XK", "XKX"])
def test_kosovo_is_read(country):
    assert [row[3] for row in read(f"Ada,ada@example.org,{country}")] == ["XK"]


@pytest.mark.parametrize("heading", ["note", "Note to the customer", "MESSAGE TO CUSTOMER"])
def test_notes_may_have_several_lines(heading):
    [person] = people_of(f'email,{heading}\nada@example.org,"One, ""two""\nthree"')
    assert person.note == 'One, "two"\nthree'


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("Email,Notes\nada@example.org,Owes us money", ["Notes"]),
        ("E-Mail;Notizen\nada@example.org;Owes us money", ["Notizen"]),
        ("Ada,ada@example.org,DE,Owes us money", [4]),
    ],
)
def test_private_notes_are_read_only_when_they_are_wanted(text, column):
    unasked, wanted = read_list(text), read_list(text, mails_notes=True)
    assert [p.note for p in unasked.people] == [""]
    assert unasked.reading.columns["private_note"] == column
    assert "note" not in unasked.reading.columns
    assert [p.note for p in wanted.people] == ["Owes us money"]
    assert wanted.reading.columns["note"] == column
    assert "private_note" not in wanted.reading.columns


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
        ("A,name@example.com", "row_example"),
        (f"{'x' * 121},a@example.org", "row_name_too_long"),
        (f"A,a@example.org,,{'x' * 501}", "row_note_too_long"),
        (f"A,a@example.org,,,{'x' * 129}", "row_reference_too_long"),
        ("A,a@example.org,,one,two,three", "row_too_many_cells"),
        ('"A"B,a@example.org', "row_broken_quotes"),
        ('"A,a@example.org', "row_broken_quotes"),
    ],
)
def test_bad_row_says_why_and_is_kept_as_typed(row, problem):
    text = f"name,email,country,note,reference\nFirst,first@example.org,,\n{row}\n"
    first, second = people_of(text)
    assert (first.problem, second.problem, second.remark) == ("", problem, "")
    assert second.row_number == 3
    assert str(SENTENCES[second.problem])


@pytest.mark.parametrize(
    ("row", "remark"),
    [
        ("A,a@example.org,Atlantis", "remark_unknown_country"),
        ("A,a@example.org,CN", "remark_country_not_offered"),
        ("A,a@example.org,china", "remark_country_not_offered"),
        ("b@example.org,a@example.org,Atlantis", "remark_unknown_country"),
        ("b@example.org,a@example.org,", "remark_name_is_address"),
        ("A\ufffd,a@example.org,", "remark_unreadable_letter"),
        ("A,a@example.org;A@example.org,", ""),
    ],
)
def test_good_row_can_have_a_remark(row, remark):
    [person] = people_of(f"name,email,country\n{row}\n")
    assert (person.email, person.country) == ("a@example.org", "")
    assert (person.problem, person.remark) == ("", remark)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "list_empty"),
        ("\n \n,,\n", "list_empty"),
        ("name,email\n", "list_empty"),
        ("sep=;\n", "list_empty"),
        ("Ada,ada@example.org".encode("utf-16-le"), "list_has_nul"),
        ("Ada,ada@example.org".encode("utf-32"), "list_has_nul"),
        (b"\x89PNG\r\n\x1a\n\0", "list_has_nul"),
        ("Ada,ada@example.org\0", "list_has_nul"),
        (b"PK\x03\x04\0", "list_is_workbook"),
        (" begin:vcard\nEMAIL:a@example.org", "list_is_address_cards"),
        ("\n".join(f"p{n}@example.org" for n in range(5_001)), "list_too_many_rows"),
        (", ".join(f"p{n}@example.org" for n in range(5_001)), "list_too_many_rows"),
        ("x\n" * 50_000, "list_too_many_rows"),
        ('x","\n' * 1_000, "list_not_csv"),
    ],
)
def test_list_that_cannot_be_read_is_refused(content, code):
    with pytest.raises(Refused) as refused:
        read_list(content)
    assert refused.value.code == code
    assert SENTENCES[code]


def test_five_thousand_rows_and_a_heading_are_read():
    text = "email\n" + "\n".join(f"p{n}@example.org" for n in range(MOST_ROWS))
    assert len(people_of(text)) == MOST_ROWS


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_what_downloads_defend_against_does_not_come_in_by_lists(start):
    row = f'"{start}Ada",ada@example.org'
    if start == "\0":
        with pytest.raises(Refused):
            read_list(row)
    elif start.isspace():
        [person] = people_of(row)
        assert (person.name, person.problem) == ("Ada", "")
    else:
        [person] = people_of(row)
        assert person.problem == RowProblem.FORMULA


def test_cells_are_cleaned_like_what_is_typed():
    row = '"\u202eAda\nB\u200b",Ada B <mailto:ada@stra\xdfe.de?subject=x>,de ,"a\r\n\x07 b "'
    [person] = people_of(row, mails_notes=True)
    assert (person.name, person.email, person.country, person.note, person.problem) == (
        "Ada B", "ada@xn--strae-oqa.de", "DE", "a\nb", "",
    )  # fmt: skip
