"""Invitations by API."""

from io import BytesIO

import pytest
from PIL import Image

from partners.models import Invitation
from tests.factories import InvitationFactory, PartnerFactory
from tests.integration.calls import Caller

pytestmark = pytest.mark.django_db
LINK = {"channel": "link", "association_type": "reseller", "label": "Fair 2026"}
EMAIL = {**LINK, "channel": "email", "recipient": "Ada@Example.com"}


def preset(**money):
    return {**LINK, "budget": {"limit": {"amount": "1.50", "currency": "USD", **money}}}


@pytest.fixture
def caller():
    return Caller(PartnerFactory())


def test_a_link_is_made(caller):
    answer = caller.post("/invitations", {**LINK, "reference": "CRM-7", "metadata": {"deal": "9"}})

    made = Invitation.objects.get()
    assert answer.status_code == 201, answer.content
    shown = answer.json()
    assert shown["id"] == str(made.pk)
    assert shown["link"] == made.link
    assert (shown["state"], shown["reference"], shown["metadata"]) == (
        "live",
        "CRM-7",
        {"deal": "9"},
    )
    assert made.created_by == caller.key.user


def test_what_is_made_is_read_again(caller):
    made = caller.post("/invitations", EMAIL).json()

    assert caller.get(f"/invitations/{made['id']}").json() == made
    assert caller.get("/invitations").json() == {"items": [made], "next": None}


def test_list_goes_on_after_the_last_row(caller):
    rows = InvitationFactory.create_batch(3, partner=caller.key.partner)
    first = caller.get("/invitations", limit=2)
    second = caller.client.get(first.json()["next"], headers=caller.headers())

    found = [row["id"] for page in (first, second) for row in page.json()["items"]]
    assert sorted(found) == sorted(str(row.pk) for row in rows)
    assert first["Link"] == f'<{first.json()["next"]}>; rel="next"'
    assert second.json()["next"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**LINK, "lable": "x"}, "lable"),
        ({**LINK, "label": " "}, "label"),
        ({**LINK, "label": "a\x00b"}, "label"),
        ({**LINK, "label": "\ud800"}, "label"),
        ({**LINK, "max_uses": 0}, "max_uses"),
        ({**LINK, "max_uses": "5"}, "max_uses"),
        ({**LINK, "max_uses": True}, "max_uses"),
        ({**LINK, "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({**LINK, "expires_at": 1900000000}, "expires_at"),
        ({**LINK, "expires_at": "2030-01-01"}, "expires_at"),
        ({**LINK, "expires_at": "9999-12-31T23:59:59-12:00"}, "expires_at"),
        ({**LINK, "country": "CN"}, "country"),
        ({**LINK, "language": "xx"}, "language"),
        ({**LINK, "recipient": "ada@example.com"}, "recipient"),
        ({**EMAIL, "recipient": "ada"}, "recipient"),
        ({**EMAIL, "max_uses": 2}, "max_uses"),
        ({**LINK, "allowed_domains": ["not a domain"]}, "allowed_domains"),
        ({**LINK, "is_bound": True}, "is_bound"),
        ({**LINK, "recipient_name": "Ada"}, "recipient_name"),
        ({**EMAIL, "allowed_domains": ["example.com"]}, "allowed_domains"),
        ({**LINK, "metadata": {"a": 1}}, "metadata.a"),
        ({**LINK, "metadata": {"a": "b\x00"}}, "metadata.a"),
        (
            {**LINK, "budget": {"limit": {"amount": "1.5", "currency": "USD"}}},
            "budget.limit.amount",
        ),
        (
            {**LINK, "budget": {"limit": {"amount": "1.50", "currency": "EUR"}}},
            "budget.limit.currency",
        ),
    ],
)
def test_bad_field_is_named(caller, body, field):
    answer = caller.post("/invitations", body)

    assert answer.status_code == 422
    assert field in [row["field"] for row in answer.json()["fields"]]
    assert not Invitation.objects.exists()


@pytest.mark.parametrize(("query", "width"), [({}, 300), ({"size": "600"}, 600)])
def test_qr_code_has_the_size_that_was_asked_for(caller, query, width):
    made = caller.post("/invitations", LINK).json()
    answer = caller.get(f"/invitations/{made['id']}/qr.png", **query)

    assert answer["Content-Type"] == "image/png"
    assert Image.open(BytesIO(answer.content)).size == (width, width)


@pytest.mark.parametrize("size", ["301", "²", "300.0", ""])
def test_qr_code_of_another_size_is_refused(caller, size):
    made = caller.post("/invitations", LINK).json()
    answer = caller.get(f"/invitations/{made['id']}/qr.png", size=size)

    assert (answer.status_code, answer.json()["fields"][0]["field"]) == (422, "size")


def test_email_without_a_recipient_is_told_what_is_missing(caller):
    answer = caller.post("/invitations", {**LINK, "channel": "email"})

    assert answer.json()["fields"] == [
        {
            "field": "recipient",
            "code": "misplaced",
            "message": "An invitation by e-mail has a recipient.",
        }
    ]


@pytest.mark.parametrize(("sent", "is_bound"), [(None, True), (True, True), (False, False)])
def test_email_is_bound_unless_the_call_says_otherwise(caller, sent, is_bound):
    assert caller.post("/invitations", {**EMAIL, "is_bound": sent}).json()["is_bound"] is is_bound


@pytest.mark.parametrize("max_uses", [2, None])
def test_uses_of_an_email_do_not_change(caller, max_uses):
    made = caller.post("/invitations", EMAIL).json()
    path = f"/invitations/{made['id']}"
    answer = caller.patch(path, {"label": "Other", "max_uses": max_uses})

    assert (answer.status_code, answer.json()["fields"][0]["field"]) == (422, "max_uses")
    assert caller.get(path).json()["label"] == made["label"]
    assert caller.patch(path, {"max_uses": 1}).status_code == 200


def test_recipient_who_was_mailed_too_often_is_named_by_its_item(caller):
    for _ in range(3):
        caller.post("/invitations", EMAIL)
    alone = caller.post("/invitations", EMAIL)
    answer = caller.post("/invitations/many", {"items": [LINK, EMAIL]})

    assert (alone.status_code, "item" in alone.json()) == (429, False)
    assert answer.status_code == 429
    assert (answer.json()["code"], answer.json()["item"]) == ("mailed_too_often", 1)
