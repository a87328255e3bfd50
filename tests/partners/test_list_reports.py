"""The report on a list: what was read and how, what is mailed, who is passed over; the template."""

import csv
from html import unescape
from io import StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from partners.models import Invitation, InvitationBatch
from partners.services.mailings import mail_batches
from tests.factories import BatchRowFactory, InvitationFactory, PartnerMemberFactory
from tests.partners.test_contact_files import FOLDER
from tests.tables import tables

pytestmark = pytest.mark.django_db

PATH = "/partner/invitations/email/many"
TEMPLATE = "/partner/invitations/email/template.csv"
TERMS = {"association_type": "reseller", "label": "Fair"}


@pytest.fixture
def member():
    return PartnerMemberFactory.create()


@pytest.fixture
def client(member):
    client = Client()
    client.force_login(member.user)
    return client


def uploaded(client, content, **typed):
    content = content if isinstance(content, bytes) else content.encode()
    file = SimpleUploadedFile("people.csv", content)
    response = client.post(PATH, {**TERMS, "people_file": file, **typed})
    assert response.status_code == 303
    return InvitationBatch.objects.get(pk=int(response["Location"].split("/")[-2]))


def report_of(batch):
    return f"/partner/invitations/batches/{batch.pk}/list"


def page_of(client, batch):
    page = unescape(" ".join(client.get(report_of(batch)).content.decode().split()))
    return page.replace("\u2068", "").replace("\u2069", "")


def rows_of(response):
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text)))


def sample(name):
    return (FOLDER / name).read_bytes()


def test_report_says_how_the_columns_were_read(client):
    page = page_of(client, uploaded(client, sample("google-contacts.csv")))
    for words in (
        "3 people can be invited.",
        "1 row cannot be used",
        "1 row has a remark",
        "We read “E-mail 1 - Value”, else “E-mail 2 - Value” as the e-mail",
        "<dt>Country/Region</dt> <dd> “Address 1 - Country” </dd>",
        "<p>Not read: “Organization Name”, “Labels”,",
        "The row has several addresses; each is invited.",
        "Send 3 invitations",
    ):
        assert words in page


def test_report_says_what_is_not_mailed(client):
    batch = uploaded(client, sample("outlook-english.csv"))
    page = page_of(client, batch)
    assert "Neither mailed nor stored: “Notes”" in page
    assert "Part of each e-mail" not in page
    assert set(batch.rows.values_list("note", flat=True)) == {""}


@pytest.mark.parametrize(
    ("content", "typed", "column"),
    [
        (sample("outlook-english.csv"), {"mails_notes": "on"}, "“Notes”"),
        (
            "Email,Message to customer\nada@example.com,Hello Ada",
            {},
            "“Message to customer”",
        ),
        ("Ada,ada@example.com,FR,Hello Ada", {"mails_notes": "on"}, "column 4"),
    ],
)
def test_report_says_which_column_is_mailed(client, content, typed, column):
    batch = uploaded(client, content, **typed)
    page = page_of(client, batch)
    assert f"Part of each e-mail: {column}" in page
    assert "Neither mailed nor stored" not in page
    assert "> Hello Ada" in page or "> Met at the fair." in page


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("outlook-german-windows-1252.csv", "The file is not in UTF-8. We read it as Windows-1252"),
        ("salesforce.csv", "5 lines below the table are no people, and were passed over."),
        ("linkedin.csv", "3 lines before the headings were passed over."),
    ],
)
def test_report_has_the_remarks_on_the_list(client, name, words):
    assert words in page_of(client, uploaded(client, sample(name)))


def test_report_of_a_sent_list_asks_for_nothing_before_it_is_sent(client):
    batch = uploaded(client, sample("outlook-german-windows-1252.csv"))
    assert "Look at some names with special letters before you send." in page_of(client, batch)
    client.post(report_of(batch), {"action": "send"})
    page = page_of(client, batch)
    assert "We read it as Windows-1252" in page
    assert "before you send" not in page


def test_report_shows_the_first_people_and_what_was_chosen(client):
    people = "".join(f"Person {n},p{n}@example.com,IE,R-{n}\n" for n in range(1, 13))
    typed = {"expires_at": "2031-02-03T10:00", "budget_amount": "150", "budget_period": "one_time"}
    content = f"name,email,country,reference\n{people}"
    typed["budget_on_exhaustion"] = "notify"
    batch = uploaded(client, content, **typed)
    response = client.get(report_of(batch))
    assert [row.name for row in response.context["first_people"]] == [
        f"Person {n}" for n in range(1, 11)
    ]
    page = page_of(client, batch)
    assert '<td data-label="Your reference"> <bdi>R-10</bdi> </td>' in page
    assert "3 February 2031, 10:00 UTC</time>" in page
    facts = "<dt>Budget to begin with</dt> <dd> 150.00 USD, one-time, only tell the partner </dd>"
    assert facts in page

    client.post(report_of(batch), {"action": "send"})
    sent = client.get(f"/partner/invitations/batches/{batch.pk}/").content.decode()
    assert facts in " ".join(sent.split())


def test_rows_with_remarks_are_shown_and_downloaded(client):
    batch = uploaded(client, "name,email,country,reference\nAda,ada@example.com,Narnia,R-1\n")
    assert "The country is not known to us, so none is preselected." in page_of(client, batch)
    response = client.get(f"/partner/invitations/batches/{batch.pk}/remarks.csv")
    assert rows_of(response) == [
        {
            "row": "2",
            "name": "Ada",
            "email": "ada@example.com",
            "country": "",
            "note": "",
            "reference": "R-1",
            "remark": "The country is not known to us, so none is preselected.",
        }
    ]


def test_only_the_first_hundred_remarks_are_shown(client, member):
    batch = BatchRowFactory.create(
        batch__partner=member.partner, batch__created_by=member.user
    ).batch
    BatchRowFactory.create_batch(101, batch=batch, remark="remark_unknown_country")
    page = page_of(client, batch)
    assert page.count("The country is not known to us") == 100
    assert "The first 100 are shown." in page
    response = client.get(f"/partner/invitations/batches/{batch.pk}/remarks.csv")
    assert len(rows_of(response)) == 101


def test_box_is_shown_only_where_somebody_has_a_live_invitation(client, member):
    InvitationFactory.create(partner=member.partner, email=True, recipient="ada@example.com")
    both = uploaded(client, "ada@example.com\nbo@example.com")
    page = page_of(client, both)
    assert "1 person has an invitation from you that is still live, and is passed over" in page
    assert "Invite 1 person too who has an invitation that is still live" in page
    assert "Send the invitations" in page
    without = uploaded(client, "bo@example.com")
    assert "invites_again" not in page_of(client, without)


@pytest.mark.parametrize(("ticked", "count"), [({}, 1), ({"invites_again": "on"}, 2)])
def test_ticking_the_box_invites_them_too(client, member, ticked, count):
    InvitationFactory.create(partner=member.partner, email=True, recipient="ada@example.com")
    batch = uploaded(client, "ada@example.com\nbo@example.com")
    sent = client.post(report_of(batch), {"action": "send", **ticked})
    assert sent.status_code == 303
    mail_batches(now=timezone.now())
    assert Invitation.objects.filter(batch=batch).count() == count
    assert f"The list had {count} p" in page_of(client, batch)


def test_list_of_known_people_alone_keeps_what_was_typed(client, member):
    InvitationFactory.create(partner=member.partner, email=True, recipient="ada@example.com")
    batch = uploaded(client, "ada@example.com")
    response = client.post(report_of(batch), {"action": "send", "note": "Kept words"})
    page = response.content.decode()
    assert response.status_code == 409
    assert "Everybody on the list is your customer" in page
    assert "Kept words" in page


def test_list_that_has_only_bad_rows_says_how_it_was_read(client):
    before = tables()
    response = client.post(PATH, {**TERMS, "people": "Name;Email;Notes\nAda;;secret"})
    page = unescape(response.content.decode())
    assert response.status_code == 400
    assert "No row of the list can be used." in page
    assert "See all columns" in page
    assert "The e-mail address is missing." in page
    assert tables() == before


def test_template_can_be_filled_in_and_uploaded(client):
    response = client.get(TEMPLATE)
    content = b"".join(response.streaming_content)
    assert response["Content-Disposition"] == 'attachment; filename="people-to-invite.csv"'
    heading, example = csv.reader(content.decode("utf-8-sig").splitlines())
    assert heading == ["name", "email", "country", "note", "reference"]
    assert example == [
        *("Ada Lovelace", "name@example.com", "Ireland", "It was good to meet you.", "C-1001")
    ]
    batch = uploaded(client, content + b"Bo Berg,bo@example.org,Sweden,Hello Bo,C-1002\r\n")
    example, bo = batch.rows.order_by("number")
    assert example.problem == "row_example"
    assert (bo.name, bo.email, bo.country, bo.note, bo.reference, bo.problem, bo.remark) == (
        "Bo Berg", "bo@example.org", "SE", "Hello Bo", "C-1002", "", "",
    )  # fmt: skip


def test_list_of_a_version_before_has_a_report(client, member):
    batch = BatchRowFactory.create(
        batch__partner=member.partner, batch__created_by=member.user, row_number=None
    ).batch
    assert "See all columns" not in page_of(client, batch)
