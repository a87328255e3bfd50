"""Downloads: cells that spreadsheets do not run, and the headers of files."""

import csv
from io import StringIO

import pytest
from django.http import HttpResponse

from web.downloads import as_attachment, as_inline, csv_download, safe_cell

MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


def read(response):
    text = b"".join(response.streaming_content).decode()
    assert text.startswith(MARK)
    return list(csv.reader(StringIO(text.removeprefix(MARK), newline="")))


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "\N{FULLWIDTH EQUALS SIGN}1",
        "\N{FULLWIDTH PLUS SIGN}1",
        "\N{FULLWIDTH HYPHEN-MINUS}1",
        "\N{FULLWIDTH COMMERCIAL AT}a",
    ],
)
def test_a_cell_that_looks_like_a_formula_is_quoted(cell):
    assert safe_cell(cell) == f"'{cell}"


def test_a_formula_after_nul_is_quoted():
    assert safe_cell("\0=1") == "'=1"


@pytest.mark.parametrize("cell", ["Ann", "a=b", "10", "", "’quoted’"])
def test_any_other_cell_is_unchanged(cell):
    assert safe_cell(cell) == cell


def test_csv_keeps_quotes_commas_and_lines():
    awkward = ['He said "no"', "one, two", "first\nsecond", None, 7]

    rows = read(csv_download("list", ["A", "B", "C", "D", "E"], [awkward]))

    assert rows == [
        ["A", "B", "C", "D", "E"],
        ['He said "no"', "one, two", "first\nsecond", "", "7"],
    ]


def test_csv_has_our_name_and_type():
    response = csv_download("customers", ["A"], [])

    assert response["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert response["Content-Disposition"] == 'attachment; filename="customers.csv"'


def test_lines_end_as_in_rfc_4180():
    body = b"".join(csv_download("list", ["A"], [["1"]]).streaming_content).decode()

    assert body == f'{MARK}"A"\r\n"1"\r\n'


@pytest.mark.parametrize("other", [",", ";", "\t"])
def test_no_other_separator_makes_a_formula_of_a_part_of_a_cell(other):
    rows = [["Label"], [f"Fair{other}=1+1"]]
    body = b"".join(csv_download("list", rows[0], rows[1:]).streaming_content).decode()
    assert list(csv.reader(body.removeprefix(MARK).splitlines(), delimiter=other)) == rows


def test_a_file_is_saved_or_shown_with_our_name():
    assert as_attachment(HttpResponse(), "a.svg")["Content-Disposition"] == (
        'attachment; filename="a.svg"'
    )
    assert as_inline(HttpResponse(), "a.svg")["Content-Disposition"] == 'inline; filename="a.svg"'
