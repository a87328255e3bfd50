"""What a batch offers to download: a table, an archive of QR codes, sheets of labels."""

import csv
import io
import re
import zipfile

import pytest
import zxingcpp
from django.test import Client
from django.utils import timezone
from PIL import Image

from partners.services.batches import make_batches
from partners.views import batches
from tests.factories import (
    InvitationBatchFactory,
    InvitationFactory,
    PartnerMemberFactory,
    mark_frozen,
)
from tests.scanning import scanned_text

pytestmark = pytest.mark.django_db

LIST = "/partner/invitations/batches/"


@pytest.fixture
def member():
    return PartnerMemberFactory.create()


@pytest.fixture
def member_client(member):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(member.user)
    return client


def made(member, **fields):
    """A batch whose links are made."""
    batch = InvitationBatchFactory.create(
        partner=member.partner, created_by=member.user, **{"label": "Fair {n}", **fields}
    )
    make_batches(now=timezone.now())
    return batch


def body(answer):
    return b"".join(answer.streaming_content)


def links_of(batch):
    return list(batch.invitations.order_by("created_at", "pk"))


def test_table_has_label_link_token_and_state(member_client, member):
    batch = made(member)
    links = links_of(batch)
    batch.invitations.filter(pk=links[1].pk).update(revoked_at=timezone.now())
    answer = member_client.get(f"{LIST}{batch.pk}/links.csv")
    rows = list(csv.reader(io.StringIO(body(answer).decode("utf-8-sig"))))
    assert rows == [
        ["Label", "Link", "Token", "State"],
        *(
            [link.label, link.link, link.grouped_token, state]
            for link, state in zip(links, ("Live", "Revoked", "Live"), strict=True)
        ),
    ]
    assert answer["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert answer["Content-Disposition"] == f'attachment; filename="links-{batch.pk}.csv"'
    assert (answer["Cache-Control"], answer["X-Content-Type-Options"]) == ("no-store", "nosniff")


def test_table_keeps_formulas_from_running(member_client, member):
    batch = made(member, label="=cmd|{n}")
    text = body(member_client.get(f"{LIST}{batch.pk}/links.csv")).decode()
    assert re.findall(r"^\"('=cmd\|\d)\"", text, re.MULTILINE) == ["'=cmd|1", "'=cmd|2", "'=cmd|3"]


def archive_of(answer):
    archive = zipfile.ZipFile(io.BytesIO(body(answer)))
    assert archive.testzip() is None
    return archive


def test_archive_has_a_picture_of_each_link(member_client, member):
    batch = made(member)
    answer = member_client.get(f"{LIST}{batch.pk}/codes.zip")
    archive = archive_of(answer)
    assert archive.namelist() == ["0001-fair-1.svg", "0002-fair-2.svg", "0003-fair-3.svg"]
    assert all(archive.read(name).startswith(b"<svg ") for name in archive.namelist())
    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"] == (f'attachment; filename="qr-codes-{batch.pk}-svg.zip"')
    assert (answer["Cache-Control"], answer["X-Content-Type-Options"]) == ("no-store", "nosniff")


def test_pictures_of_600_pixels_lead_to_the_links(member_client, member):
    batch = made(member)
    archive = archive_of(member_client.get(f"{LIST}{batch.pk}/codes.zip?format=png"))
    assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
    read = []
    for name in archive.namelist():
        picture = Image.open(io.BytesIO(archive.read(name)))
        assert picture.size == (600, 600)
        read.append(zxingcpp.read_barcode(picture.convert("L")).text)
    assert read == [scanned_text(link) for link in links_of(batch)]


@pytest.mark.parametrize(
    ("label", "names"),
    [
        ("../{n}", ["0001-1.svg", "0002-2.svg", "0003-3.svg"]),
        ("展会", ["0001.svg", "0002.svg", "0003.svg"]),
        ("Füße/CON {n}", ["0001-fuecon-1.svg", "0002-fuecon-2.svg", "0003-fuecon-3.svg"]),
        ("same", ["0001-same.svg", "0002-same.svg", "0003-same.svg"]),
    ],
)
def test_names_are_plain_and_unique(member_client, member, label, names):
    batch = made(member, label=label)
    assert archive_of(member_client.get(f"{LIST}{batch.pk}/codes.zip")).namelist() == names


def test_unknown_format_does_not_exist(member_client, member):
    batch = made(member)
    assert member_client.get(f"{LIST}{batch.pk}/codes.zip?format=gif").status_code == 404


def test_archive_of_nothing_is_an_archive(member_client, member):
    batch = InvitationBatchFactory.create(partner=member.partner, created_by=member.user)
    assert archive_of(member_client.get(f"{LIST}{batch.pk}/codes.zip")).namelist() == []


def test_archive_is_sent_while_it_is_written(member_client, member):
    batch = made(member, size=3)
    parts = list(member_client.get(f"{LIST}{batch.pk}/codes.zip").streaming_content)
    # One for each picture, and the directory.
    assert len([part for part in parts if part]) == 4


def test_labels_show_code_label_host_and_token(member_client, member, settings):
    settings.PUBLIC_BASE_URL = "https://join.example"
    batch = made(member, label="<b>Fair</b> {n}")
    shown = member_client.get(f"{LIST}{batch.pk}/labels").content.decode()
    assert shown.count('<svg class="qr"') == 3
    assert shown.count("join.example") == 3
    assert "&lt;b&gt;Fair&lt;/b&gt; 1" in shown
    for link in links_of(batch):
        assert shown.count(link.grouped_token) == 1
    assert "style=" not in shown


def test_labels_come_in_sheets_and_pages(
    member_client, member, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr(batches, "LABELS_A_PAGE", 48)
    batch = made(member, size=100)
    counts, query = [], "?"
    while query:
        # Session, user, member, batch, labels.
        with django_assert_num_queries(6):
            shown = member_client.get(f"{LIST}{batch.pk}/labels{query}").content.decode()
        counts.append((shown.count('class="label-sheet"'), shown.count('class="label"')))
        following = re.search(r'rel="next"\s+href="([^"]+)"', shown)
        query = following[1].replace("&amp;", "&") if following else ""
    assert counts == [(2, 48), (2, 48), (1, 4)]


def test_files_contain_only_the_links_of_the_batch(member_client, member):
    InvitationFactory.create(partner=member.partner, created_by=member.user)
    made(member)
    batch = made(member, label="Other {n}")
    text = body(member_client.get(f"{LIST}{batch.pk}/links.csv")).decode()
    assert len(text.splitlines()) == 4


def partly_dead(member):
    """A batch of four: live, revoked, expired, used up."""
    batch = made(member, size=4)
    now, rows = timezone.now(), list(batch.invitations.order_by("label"))
    changes = [{}, {"revoked_at": now}, {"expires_at": now}, {"max_uses": 1, "used_count": 1}]
    for row, change in zip(rows, changes, strict=True):
        type(row).objects.filter(pk=row.pk).update(**change or {"note": ""})
    return batch, rows


def test_archive_leaves_out_what_cannot_be_followed_and_keeps_the_numbers(member_client, member):
    batch, [_live, revoked, *_others] = partly_dead(member)
    type(revoked).objects.filter(pk=revoked.pk).update(label="Last", created_at=timezone.now())
    InvitationFactory.create(
        partner=member.partner, created_by=member.user, batch=batch, label="Later"
    )
    names = archive_of(member_client.get(f"{LIST}{batch.pk}/codes.zip")).namelist()
    assert names == ["0001-fair-1.svg", "0005-later.svg"]


def test_label_of_what_cannot_be_followed_has_a_word_and_no_code(member_client, member):
    batch, [live, *dead] = partly_dead(member)
    shown = member_client.get(f"{LIST}{batch.pk}/labels").content.decode()
    assert re.findall(r'class="label-dead">([^<]*)<', shown) == ["Revoked", "Expired", "Used up"]
    assert (shown.count('<svg class="qr"'), shown.count(live.grouped_token)) == (1, 1)
    for link in dead:
        assert link.grouped_token not in shown
        assert link.label in shown


@pytest.mark.parametrize("file", ["labels", "codes.zip", "codes.zip?format=png"])
def test_frozen_partner_prints_nothing(member_client, member, caplog, file):
    batch = made(member)
    mark_frozen(member.partner)
    with caplog.at_level("INFO", "security"):
        page = member_client.get(f"{LIST}{batch.pk}/{file}").content.decode()
    assert "The partner is frozen and cannot invite." in page
    assert 'class="qr"' not in page
    # Nothing was shown, so the security log does not say so.
    assert caplog.messages == []
    assert not any(link.grouped_token in page for link in links_of(batch))
