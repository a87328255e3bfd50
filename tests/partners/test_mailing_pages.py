"""The console's pages to invite many by e-mail: list, report, start, bad rows."""

import csv

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from outbox.models import OutboxMessage
from partners.models import BatchRow, Invitation, InvitationBatch
from partners.services.mailings import mail_batches
from tests.factories import (
    BatchRowFactory,
    InvitationBatchFactory,
    PartnerFactory,
    PartnerMemberFactory,
    UserFactory,
    mark_frozen,
)
from tests.tables import tables

pytestmark = pytest.mark.django_db

PATH = "/partner/invitations/email/many"
LIST = "name,email,country,note\nAda,ada@example.org,DE,\nBob,bob@,,\nEve,eve@example.org,,Hi Eve\n"
TYPED = {
    "association_type": "reseller",
    "subject": "Come in",
    "note": "Hello",
    "country": "IE",
    "language": "en",
    "label": "Fair",
    "expires_at": "",
    "recipient_only": "on",
}


@pytest.fixture
def member():
    return PartnerMemberFactory.create()


@pytest.fixture
def client(member):
    return client_of(member.user)


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


def upload(client, content, **changed):
    content = content if isinstance(content, bytes) else content.encode()
    return client.post(
        PATH, {**TYPED, "people_file": SimpleUploadedFile("list.csv", content), **changed}
    )


def drafted(client, content=LIST, **changed):
    response = upload(client, content, **changed)
    assert response.status_code == 303
    batch = InvitationBatch.objects.get(pk=int(response["Location"].split("/")[-2]))
    assert response["Location"] == f"/partner/invitations/batches/{batch.pk}/list"
    return batch


def report_of(batch):
    return f"/partner/invitations/batches/{batch.pk}/list"


def send(client, batch, **typed):
    data = {"action": "send", "subject": "Come in", "note": "Hello", **typed}
    return client.post(report_of(batch), data)


def work():
    while mail_batches(now=timezone.now()):
        pass


def test_list_becomes_a_draft_with_a_report(client, member):
    assert client.get(PATH).status_code == 200
    batch = drafted(client)
    assert (batch.state, batch.size, batch.created_by) == ("draft", 2, member.user)
    assert AuditEvent.objects.get().action == "batch.drafted"
    assert not OutboxMessage.objects.exists()
    work()
    assert not OutboxMessage.objects.exists()
    page = client.get(report_of(batch)).content.decode()
    assert "2 people can be invited." in page
    assert "This is not an e-mail address like name@example.com." in page
    assert "Send 2 invitations" in page
    assert "Hello Ada," in page


def test_double_click_keeps_one_draft(client):
    first = drafted(client, form_key="k" * 22)
    assert drafted(client, form_key="k" * 22) == first
    assert InvitationBatch.objects.count() == 1
    assert AuditEvent.objects.count() == 1


@pytest.mark.parametrize("path", [PATH, "/partner/invitations/email/new"])
def test_forms_say_what_a_type_means_and_what_is_needed(client, path):
    shown = client.get(path).content.decode()
    assert "Reseller – the account is frozen on joining" in shown
    assert "Referral – nothing is frozen" in shown
    assert ("one of the two is needed" in shown) is (path == PATH)


def test_pasted_list_is_read_as_well(client):
    response = client.post(PATH, {**TYPED, "people": LIST})
    assert response.status_code == 303
    assert InvitationBatch.objects.get().size == 2


def test_preview_is_made_of_what_is_typed_and_writes_nothing(client):
    batch = drafted(client)
    before = tables()
    typed = {"subject": "Other words", "note": "Another note"}
    shown = client.post(report_of(batch), {"action": "preview", **typed})
    as_html = client.post(report_of(batch), {"action": "preview_html", **typed})
    bad = client.post(report_of(batch), {"action": "send", "subject": "a\0b"})
    assert tables() == before
    assert (shown.context["email"].subject, bad.status_code) == ("Other words", 400)
    assert "&gt; Another note" in shown.content.decode()
    assert "sandbox" in as_html["Content-Security-Policy"]


def test_two_clicks_on_send_mail_each_person_once(client, member):
    batch = drafted(client)
    for _ in range(2):
        response = send(client, batch, subject="New", note="Changed")
        assert response.status_code == 303
        assert response["Location"] == f"/partner/invitations/batches/{batch.pk}/"
    work()
    other = send(client, batch, subject="Newer", note="Changed")
    assert other.status_code == 409
    assert "Somebody has started this list" in other.content.decode()
    assert "Newer" in other.content.decode()
    work()
    made = Invitation.objects.order_by("recipient")
    assert [(row.recipient, row.note, str(row.country)) for row in made] == [
        ("ada@example.org", "Changed", "DE"),
        ("eve@example.org", "Hi Eve", "IE"),
    ]
    assert {(row.subject, row.batch_id, row.created_by_id) for row in made} == {
        ("New", batch.pk, member.user.pk)
    }
    assert list(OutboxMessage.objects.values_list("is_bulk", flat=True)) == [True, True]
    batch.refresh_from_db()
    assert (batch.state, batch.done_count, batch.refused_count) == ("finished", 2, 0)
    events = AuditEvent.objects.filter(object_label="partners.invitationbatch").order_by("pk")
    assert list(events.values_list("action", flat=True)) == [
        "batch.drafted",
        "batch.started",
        "batch.finished",
    ]
    for path in (report_of(batch), f"/partner/invitations/batches/{batch.pk}/"):
        assert client.get(path).status_code == 200


def test_discarded_list_is_not_sent(client):
    batch = drafted(client)
    cancel = f"/partner/invitations/batches/{batch.pk}/cancellation"
    asked = client.get(cancel).content.decode()
    for words in ("Discard the list?", "Nothing has been sent", "Discard the list", "Keep it"):
        assert words in asked
    for words in ("Cancel the batch", "Let it go on"):
        assert words not in asked
    assert client.post(cancel).status_code == 303
    assert "This list has been discarded." in client.get(report_of(batch)).content.decode()
    assert send(client, batch).status_code == 409
    work()
    assert not OutboxMessage.objects.exists()


def test_bad_rows_come_back_and_can_be_uploaded_again(client):
    batch = drafted(client, LIST + '=1+1,x@example.org,,"a ""b"""\n')
    response = client.get(f"/partner/invitations/batches/{batch.pk}/bad-rows.csv")
    content = b"".join(response.streaming_content)
    assert response["Content-Disposition"].startswith("attachment;")
    heading, bob, formula = csv.reader(content.decode("utf-8-sig").splitlines())
    assert heading == ["row", "name", "email", "country", "note", "reference", "reason"]
    assert bob[:-1] == ["3", "Bob", "bob@", "", "", ""]
    assert bob[-1].startswith("This is not")
    assert formula[:-1] == ["5", "'=1+1", "x@example.org", "", 'a "b"', ""]
    assert formula[-1].startswith("A cell begins")
    assert upload(client, content).status_code == 400
    mended = content.replace(b"bob@", b"bob@example.org").replace(b"'=1+1", b"Xu")
    again = drafted(client, mended)
    assert sorted(again.rows.values_list("email", flat=True)) == [
        "bob@example.org",
        "x@example.org",
    ]


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        ("", 400, "The list is empty."),
        ("bob@\n", 400, "No row of the list can be used."),
        (b"PK\x03\x04 a workbook", 400, "choose “Save as” and the type “CSV UTF-8”"),
        ("BEGIN:VCARD\n", 400, "Export the contacts once more as CSV"),
        ("a@example.org\0", 400, "NUL"),
        ('Ada,"a@example.org', 400, "A quotation mark in this row"),
        ('x","\n' * 1_000, 400, "Look for quotation marks"),
        ("\n".join(f"p{n}@example.org" for n in range(5_001)), 400, "at most 5,000 people"),
        (b"a" * 4_000_001, 413, "The file is too large"),
        (b"a" * 10_000_000, 413, ""),
    ],
)
def test_list_that_cannot_be_used_keeps_the_rest(client, content, status, words):
    before = tables()
    response = upload(client, content)
    page = response.content.decode()
    assert response.status_code == status
    assert words in page
    assert len(content) > 5_000_000 or 'value="Come in"' in page
    assert tables() == before


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"subject": "a\0b"}, "Null characters are not allowed."),
        ({"association_type": "x"}, "Choose reseller or referral."),
        ({"expires_at": "2020-01-01T12:00"}, "The expiry must be in the future."),
        ({"people": "x@example.org"}, "not both"),
    ],
)
def test_bad_words_create_nothing(client, changed, words):
    before = tables()
    response = upload(client, LIST, **changed)
    assert response.status_code == 400
    assert words in response.content.decode()
    assert tables() == before


def test_page_for_one_person_rejects_files_and_large_bodies(client):
    file = SimpleUploadedFile("a.csv", b"a")
    assert client.post("/partner/invitations/email/new", {"file": file}).status_code == 400
    large = client.post("/partner/invitations/email/new", {"note": "x" * 2_000_001})
    assert large.status_code == 413


def test_quota_is_429_and_the_draft_stays(client, settings):
    settings.PARTNER_DAILY_MAILS = 1
    batch = drafted(client)
    response = send(client, batch, note="Kept words")
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert "Kept words" in response.content.decode()
    batch.refresh_from_db()
    assert batch.state == "draft"


def test_frozen_partner_sends_nothing(client, member):
    batch = drafted(client)
    mark_frozen(member.partner)
    assert send(client, batch).status_code == 409
    assert upload(client, LIST, label="Another").status_code == 409
    assert InvitationBatch.objects.get().state == "draft"


def test_corrected_list_is_uploaded_with_the_words_of_the_first(client):
    batch = drafted(client)
    address = f"{PATH}?copy={batch.pk}"
    assert (
        f'href="{address}">Upload the mended list</a>'
        in client.get(report_of(batch)).content.decode()
    )
    before = tables()

    form = client.get(address).context["form"]

    assert tables() == before
    kept = {name: str(form[name].value() or "") for name in TYPED}
    assert kept == {**TYPED, "recipient_only": "True"}
    answer = client.post(address, {**TYPED, "people": "bob@example.org"})
    assert answer.status_code == 303
    assert InvitationBatch.objects.latest("created_at").label == batch.label


def test_past_expiry_is_not_copied(client, member):
    fields = {"email": True, "draft": True, "partner": member.partner, "created_by": member.user}
    batch = InvitationBatchFactory.create(**fields, expires_at=timezone.now(), is_bound=False)
    form = client.get(f"{PATH}?copy={batch.pk}").context["form"]
    assert (form["expires_at"].value(), form["recipient_only"].value()) == (None, False)


def test_only_an_own_list_is_copied(client, member):
    links = InvitationBatchFactory.create(partner=member.partner, created_by=member.user)
    of_colleague = InvitationBatchFactory.create(email=True, partner=member.partner)
    of_others = InvitationBatchFactory.create(email=True)
    for key in (links.pk, of_colleague.pk, of_others.pk, 2**62, 2**70, "", "x", "-1", "²"):
        assert client.get(PATH, {"copy": key}).status_code == 404


@pytest.mark.parametrize("rows", [1, 3])
def test_report_has_a_constant_query_count(member, client, rows, django_assert_num_queries):
    batch = InvitationBatchFactory.create(
        email=True, draft=True, partner=member.partner, created_by=member.user, size=rows
    )
    BatchRowFactory.create_batch(rows, batch=batch)
    BatchRowFactory.create_batch(rows, batch=batch, problem="row_duplicate")
    BatchRowFactory.create_batch(rows, batch=batch, remark="remark_unknown_country")
    with django_assert_num_queries(10):
        assert client.get(report_of(batch)).status_code == 200


@pytest.mark.parametrize(
    "person",
    [
        lambda partner: PartnerMemberFactory.create(partner=partner).user,
        lambda partner: PartnerMemberFactory.create(administrator=True).user,
        lambda partner: UserFactory.create(),
    ],
    ids=["manager of others", "another partner's", "customer"],
)
def test_list_of_others_does_not_exist(person):
    partner = PartnerFactory.create()
    batch = BatchRowFactory.create(batch__partner=partner).batch
    other = client_of(person(partner))
    before = tables()
    for path in (report_of(batch), report_of(batch).replace("list", "bad-rows.csv")):
        assert other.get(path).status_code == 404
    assert send(other, batch).status_code == 404
    assert tables() == before
    assert Client().get(report_of(batch)).status_code == 302


def test_batch_of_links_has_no_list(member, client):
    batch = InvitationBatchFactory.create(partner=member.partner, created_by=member.user)
    assert client.get(report_of(batch)).status_code == 404
    assert not BatchRow.objects.exists()
