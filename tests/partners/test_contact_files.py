"""Files of people as real programs export them: each person, remark and problem in them."""

from pathlib import Path

import pytest

from partners.contact_lists.reading import read_list
from partners.enums import ListProblem
from partners.list_words import REMARKS
from partners.refusals import SENTENCES
from web.refused import Refused

FOLDER = Path(__file__).parent / "contact_files"
# What Outlook exports of a colleague on the same server.
NOT_AN_ADDRESS = "/o=ExchangeLabs/ou=Group/cn=Recipients/cn=7f3a-colleague"
# By file: row, name, address, country, and problem or remark of each person; remarks on the list.
PEOPLE = {
    "address-by-shape.csv": (
        [
            (2, "Ada Quist", "ada@example.com", "FR", ""),
            (3, "Bo Berg", "bo@example.org", "", "remark_unknown_country"),
        ],
        {},
    ),
    "addresses-alone.txt": (
        [
            (1, "", "ada@example.com", "", ""),
            (3, "", "bo@example.org", "", ""),
            (4, "", "ADA@EXAMPLE.COM", "", "row_duplicate"),
            (5, "", "bob at example.org", "", "row_bad_address"),
        ],
        {},
    ),
    "arabic.csv": (
        [
            (2, "ليلى حداد", "layla@example.com", "EG", ""),
        ],
        {},
    ),
    "broken-quotes.csv": (
        [
            (2, "", '"Ann" Lee,ann@example.com', "", "row_broken_quotes"),
            (3, 'Bo "the" Berg', "bo@example.org", "", ""),
            (4, "", '"Cy,cy@example.com', "", "row_broken_quotes"),
            (5, "Dee", "dee@example.com", "", ""),
        ],
        {},
    ),
    "chinese.csv": (
        [
            (2, "王小明", "xiaoming@example.com", "SG", ""),
            (3, "李娜", "lina@example.com", "", "remark_country_not_offered"),
        ],
        {},
    ),
    "excel-comma.csv": (
        [
            (2, "Iris Novak", "iris@example.com", "CZ", ""),
            (3, "Omar Haddad", "omar@example.com", "US", ""),
        ],
        {},
    ),
    "excel-semicolon.csv": (
        [
            (2, "Uwe Groß", "uwe@example.org", "CH", ""),
            (3, "Lea Weiß", "lea@example.org", "GB", "remark_several_addresses"),
            (3, "Lea Weiß", "buero@example.org", "GB", "remark_several_addresses"),
        ],
        {"list_windows_1252": 1},
    ),
    "excel-sep-line.csv": (
        [
            (2, "Rosa Díaz, PhD", "rosa@example.net", "", ""),
        ],
        {},
    ),
    "excel-unicode-text.txt": (
        [
            (2, "Ελένη Παππά", "eleni@example.com", "GR", ""),
            (3, "山田 花子", "hanako@example.com", "JP", ""),
        ],
        {},
    ),
    "excel-utf-8-mark.csv": (
        [
            (2, "Zoë Çelik", "zoe@example.com", "TR", ""),
            (3, "Łukasz Żak", "lukasz@example.com", "PL", ""),
        ],
        {},
    ),
    "french.csv": (
        [
            (2, "Élodie Garçon", "elodie@example.com", "DE", ""),
        ],
        {},
    ),
    "google-contacts-old.csv": (
        [
            (2, "Dr. Mei Tanaka", "mei@example.org", "JP", ""),
            (3, "Sven Holm", "sven@example.net", "", "remark_unknown_country"),
        ],
        {},
    ),
    "google-contacts.csv": (
        [
            (2, "Ana Ribeiro", "ana@example.com", "PT", ""),
            (3, "Lukas Brandt", "lukas@example.com", "DE", "remark_several_addresses"),
            (3, "Lukas Brandt", "brandt@example.org", "DE", "remark_several_addresses"),
            (4, "Phone Only", "", "", "row_no_address"),
        ],
        {},
    ),
    "hubspot.csv": (
        [
            (2, "Priya Raman", "priya@example.com", "IN", ""),
            (3, "Ben", "ben@example.com", "US", ""),
            (4, "", "", "", "row_no_address"),
        ],
        {},
    ),
    "linkedin.csv": (
        [
            (5, "Ines Moreau", "ines@example.com", "", ""),
            (6, "Paul Keller", "", "", "row_no_address"),
        ],
        {"list_before_heading": 3},
    ),
    "mailchimp.csv": (
        [
            (2, "Lena Fischer", "lena@example.com", "", ""),
            (3, "", "hugo@example.com", "", ""),
        ],
        {},
    ),
    "mixed-encodings.csv": (
        [
            (2, "Zoë", "zoe@example.com", "", ""),
            (3, "José", "jose@example.com", "", ""),
            (4, "B�d", "bd@example.com", "", "remark_unreadable_letter"),
        ],
        {"list_windows_1252": 1},
    ),
    "no-heading.tsv": (
        [
            (1, "Ada Quist", "ada@example.com", "FR", ""),
            (2, "Bo Berg", "bo@example.org", "SE", ""),
            (3, "", "Cy", "", "row_bad_address"),
        ],
        {},
    ),
    "our-template.csv": (
        [
            (2, "Ada Lovelace", "name@example.com", "Ireland", "row_example"),
            (3, "Fay Moss", "fay@example.com", "IE", ""),
        ],
        {},
    ),
    "outlook-english.csv": (
        [
            (2, "Nora Whitfield", "nora.whitfield@example.com", "US", ""),
            (3, "Tom Okafor", "tom@example.org", "GB", ""),
            (
                4,
                "Internal Colleague",
                "/o=ExchangeLabs/ou=Group/cn=Recipients/cn=7f3a-colleague",
                "",
                "row_bad_address",
            ),
            (5, "", "", "", "row_no_address"),
        ],
        {},
    ),
    "outlook-german-windows-1252.csv": (
        [
            (2, "Käthe Müßig", "kaethe@example.org", "DE", ""),
            (3, "Jörg Sänger", "joerg@example.org", "AT", ""),
        ],
        {"list_windows_1252": 1},
    ),
    "portuguese.csv": (
        [
            (2, "João Gonçalves", "joao@example.com", "DE", ""),
        ],
        {},
    ),
    "problems.csv": (
        [
            (2, "Ada Quist", "ada@example.com", "FR", ""),
            (3, "A. Quist", "ada@example.com", "FR", "row_duplicate"),
            (4, "=HYPERLINK(1)", "bo@example.org", "", "row_formula"),
            (5, "Cy", "cy@example.com", "", "row_reference_too_long"),
            (6, "Dee", "dee@example.com", "", ""),
            (7, "n" * 121, "eve@example.com", "", "row_name_too_long"),
            (8, "Fay, fay@example.com", "", "", "row_no_address"),
            (9, "Gus", "gus@example", "", "row_bad_address"),
            (10, "", "hal@example.com", "", "remark_name_is_address"),
            (11, "Ida", "ida@example.com", "FR", "row_too_many_cells"),
        ],
        {},
    ),
    "salesforce.csv": (
        [
            (2, "Carla Benedetti", "carla@example.com", "IT", ""),
            (3, "Wei Zhang", "wei@example.com", "", "remark_country_not_offered"),
        ],
        {"list_footer": 5},
    ),
    "spanish.csv": (
        [
            (2, "Íñigo Peña Ruiz", "inigo@example.com", "US", ""),
        ],
        {},
    ),
    "thunderbird.csv": (
        [
            (2, "Yusuf Demir", "yusuf@example.org", "TR", ""),
            (3, "", "grace@example.org", "IE", "remark_name_is_address"),
        ],
        {},
    ),
    "to-line.txt": (
        [
            (1, "Ada Quist", "ada@example.com", "", ""),
            (1, "Bo, B.", "bo@example.org", "", ""),
            (1, "", "cy@example.net", "", ""),
            (2, "Lovell, Dee", "dee@example.org", "", ""),
            (2, "", "eve@example.com", "", ""),
        ],
        {},
    ),
    "two-in-a-line.txt": (
        [
            (1, "", "ada@example.com", "", ""),
            (1, "", "bo@example.org", "", ""),
        ],
        {},
    ),
}
# By file: what else its people have, and which columns are taken for private notes.
REFERENCES = {
    "excel-comma.csv": ["CRM-17", "CRM-18"],
    "excel-semicolon.csv": ["00017", "00018", "00018"],
    "our-template.csv": ["C-1001", "C-1002"],
}
PRIVATE_NOTES = {
    "french.csv": ["Remarques"],
    "google-contacts-old.csv": ["Notes"],
    "google-contacts.csv": ["Notes"],
    "mailchimp.csv": ["NOTES"],
    "no-heading.tsv": [4],
    "outlook-english.csv": ["Notes"],
    "outlook-german-windows-1252.csv": ["Notizen"],
}
REFUSED = {
    "cards.vcf": ListProblem.ADDRESS_CARDS,
    "old-workbook.xls": ListProblem.WORKBOOK,
    "thunderbird.ldif": ListProblem.ADDRESS_CARDS,
    "workbook.xlsx": ListProblem.WORKBOOK,
}


def contact_list(name, **options):
    return read_list((FOLDER / name).read_bytes(), **options)


@pytest.mark.parametrize("name", PEOPLE)
def test_people_of_the_file_are_read(name):
    people, remarks = PEOPLE[name]
    found = contact_list(name)
    assert [
        (row.row_number, row.name, row.email, row.country, row.problem or row.remark)
        for row in found.people
    ] == people
    assert found.reading.remarks == remarks
    if name in REFERENCES:
        assert [row.reference for row in found.people] == REFERENCES[name]


@pytest.mark.parametrize("name", PEOPLE)
def test_only_the_column_of_our_template_is_mailed_unasked(name):
    found = contact_list(name)
    assert found.reading.columns.get("private_note", []) == PRIVATE_NOTES.get(name, [])
    has_notes = {"our-template.csv": ["note"]}
    assert found.reading.columns.get("note", []) == has_notes.get(name, [])
    assert any(row.note for row in found.people) == (name in has_notes)
    with_notes = contact_list(name, mails_notes=True)
    assert any(row.note for row in with_notes.people) == (name in {*has_notes, *PRIVATE_NOTES})


@pytest.mark.parametrize("name", REFUSED)
def test_file_of_another_kind_is_refused(name):
    with pytest.raises(Refused) as refused:
        contact_list(name)
    assert refused.value.code == REFUSED[name]


def test_no_file_is_left_out():
    names = {path.name for path in FOLDER.iterdir()} - {".gitattributes"}
    assert names == {*PEOPLE, *REFUSED}
    words = {word for people, _remarks in PEOPLE.values() for *_person, word in people} - {""}
    assert words <= {*SENTENCES, *REMARKS}


def test_columns_that_are_not_read_are_named():
    reading = contact_list("google-contacts.csv").reading
    assert reading.columns["email"] == ["E-mail 1 - Value", "E-mail 2 - Value"]
    assert reading.unread == [
        "Organization Name",
        "Labels",
        "E-mail 1 - Label",
        "E-mail 2 - Label",
        "Phone 1 - Label",
        "Phone 1 - Value",
    ]
