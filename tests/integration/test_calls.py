"""What every call has in common: keys, scopes, bodies, pages and problems."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from integration.enums import Scope
from integration.services.keys import revoke_key
from partners.models import Invitation
from tests.factories import InvitationFactory, PartnerFactory, make_associated
from tests.integration.calls import API, Caller
from web.body_limits import LARGEST_BODY

pytestmark = pytest.mark.django_db
LINK = {"channel": "link", "association_type": "reseller", "label": "Fair 2026"}
PROBLEM = "application/problem+json"


@pytest.fixture
def caller():
    return Caller(PartnerFactory())


def is_problem(answer, status, code):
    content = answer.json()
    return (answer.status_code, answer["Content-Type"], content["code"], content["status"]) == (
        *(status, PROBLEM, code),
        status,
    )


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({}, "key_missing"),
        ({"Authorization": "Basic eDp5"}, "key_missing"),
        ({"Authorization": "Bearer"}, "key_unknown"),
        ({"Authorization": "Bearer pak_" + "0" * 32}, "key_unknown"),
        ({"Authorization": "Bearer \u00e9"}, "key_unknown"),
    ],
)
def test_without_a_key_nothing_is_answered(header, code):
    answer = Client().get(f"{API}/invitations", headers=header)

    assert is_problem(answer, 401, code)
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'


def test_revoked_key_ends_at_the_next_call(caller):
    before = caller.get("/invitations").status_code
    revoke_key(api_key=caller.key, by=caller.key.created_by, now=timezone.now())

    assert before == 200
    assert is_problem(caller.get("/invitations"), 401, "key_unknown")


def test_key_ends_at_its_expiry(caller):
    caller.key.created_at -= timedelta(days=91)
    caller.key.expires_at = timezone.now()
    caller.key.save()

    assert is_problem(caller.get("/invitations"), 401, "key_unknown")


def test_missing_scope_is_named():
    reader = Caller(PartnerFactory(), [Scope.INVITATIONS_READ])
    answer = reader.post("/invitations", LINK)

    assert is_problem(answer, 403, "scope_missing")
    assert answer.json()["missing_scope"] == "invitations:write"
    assert not Invitation.objects.exists()


def test_key_in_the_address_is_refused_and_not_logged(caller, caplog):
    answer = caller.get("/invitations", key=caller.secret)

    assert is_problem(answer, 400, "key_in_address")
    assert "api_key.in_address" in caplog.text
    assert caller.secret not in caplog.text
    assert caller.secret not in answer.content.decode()


@pytest.mark.parametrize("path", ["/invitations?{}=1", "/invitations/{}", "/customers?after=x{}"])
def test_key_anywhere_in_the_address_is_refused(caller, path):
    for written in (caller.secret, caller.secret.replace("_", "%5F")):
        answer = caller.client.get(f"{API}{path.format(written)}", headers=caller.headers())

        assert is_problem(answer, 400, "key_in_address")
        assert caller.secret not in answer.content.decode()


def test_reference_that_begins_like_a_key_is_none(caller):
    assert caller.get("/customers", reference="pak_1234").json() == {"items": [], "next": None}


def test_call_without_fields_takes_no_body(caller):
    invitation = InvitationFactory(partner=caller.key.partner)
    answers = [
        caller.post(f"/invitations/{invitation.pk}/revoke", body) for body in ({"a": 1}, {}, None)
    ]

    assert is_problem(answers[0], 400, "body_not_expected")
    assert [answer.status_code for answer in answers[1:]] == [200, 200]


def test_limit_counts_calls_without_the_scope_too(settings):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "api": (1, 60)}
    reader = Caller(PartnerFactory(), [Scope.EVENTS_READ])

    assert [reader.get("/invitations").status_code for _ in range(2)] == [403, 429]


def test_objects_of_another_partner_do_not_exist(caller):
    foreign = InvitationFactory()
    unknown = caller.get("/invitations/123456789012345678")
    answer = caller.get(f"/invitations/{foreign.pk}")

    assert is_problem(answer, 404, "not_found")
    assert {**answer.json(), "request_id": ""} == {**unknown.json(), "request_id": ""}


def test_action_is_the_keys_and_belongs_to_the_partner(caller):
    caller.post("/invitations", LINK)
    event = AuditEvent.objects.get(action="invitation.created")

    assert event.actor == caller.key.user
    assert event.actor.account_name.startswith("api-key:crm-")
    assert event.acted_for == caller.key.partner_id


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b" ", "Expecting value"),
        (b"{", "Expecting property name"),
        (b"\xff{}", "not UTF-8"),
        (b'{"label": NaN}', "NaN"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b"{" + b",".join(b'"%d": 1' % (n % 50_000) for n in range(50_001)) + b"}", "twice"),
        (b"[" * 100_000, "nested"),
        (b'{"max_uses": ' + b"9" * 5_000 + b"}", "a number is too long"),
        (b'{"max_uses": 1e1000000000000000000}', "a number is too long"),
    ],
)
def test_body_that_is_not_json(caller, body, why):
    answer = caller.client.post(
        f"{API}/invitations", body, content_type="application/json", headers=caller.headers()
    )

    assert is_problem(answer, 400, "body_not_json")
    assert why in answer.json()["detail"]


def test_missing_body_is_a_field_problem(caller):
    answer = caller.client.post(
        f"{API}/invitations", b"", content_type="application/json", headers=caller.headers()
    )

    assert is_problem(answer, 422, "fields_invalid")


def test_number_too_large_is_a_field_problem(caller):
    answer = caller.client.post(
        f"{API}/invitations",
        json.dumps(LINK)[:-1] + ', "max_uses": 1e309}',
        content_type="application/json",
        headers=caller.headers(),
    )

    assert is_problem(answer, 422, "fields_invalid")


def test_body_of_another_type_is_refused(caller):
    answer = caller.client.post(f"{API}/invitations", LINK, headers=caller.headers())

    assert is_problem(answer, 415, "content_type_not_json")


def test_body_as_large_as_the_limit_is_read(caller):
    note, length = "é" * 500, LARGEST_BODY - 1_000
    items = [{**LINK, "note": note}] * (length // len(json.dumps({**LINK, "note": note})))
    assert len(json.dumps({"items": items}).encode()) > length - 10_000
    answer = caller.post("/invitations/many", {"items": [*items, {}]})

    # Only the last one lacks its fields.
    assert is_problem(answer, 422, "fields_invalid")
    assert {row["field"].split(".")[1] for row in answer.json()["fields"]} == {str(len(items))}


@pytest.mark.parametrize(
    ("name", "value", "status", "code"),
    [
        ("Transfer-Encoding", "chunked", 411, "length_required"),
        ("Content-Encoding", "gzip", 415, "coding_refused"),
    ],
)
def test_body_that_would_not_be_read_as_it_was_sent_is_refused(caller, name, value, status, code):
    headers = caller.headers(**{name: value})
    answer = caller.client.post(
        f"{API}/invitations", LINK, content_type="application/json", headers=headers
    )

    assert is_problem(answer, status, code)
    assert Invitation.objects.count() == 0


def test_body_that_is_too_large_is_refused(caller):
    body = json.dumps({**LINK, "note": "x" * LARGEST_BODY})
    answer = caller.client.post(
        f"{API}/invitations", body, content_type="application/json", headers=caller.headers()
    )

    assert is_problem(answer, 413, "too_large")


@pytest.mark.parametrize(
    ("path", "method", "status", "code"),
    [("/nothing", "get", 404, "not_found"), ("/invitations", "put", 405, "method_not_allowed")],
)
def test_what_is_no_operation_is_a_problem_too(caller, path, method, status, code):
    answer = getattr(caller.client, method)(f"{API}{path}", headers=caller.headers())

    assert is_problem(answer, status, code)


@pytest.mark.parametrize(
    "query", [{"stat": "live"}, {"limit": "0"}, {"limit": "101"}, {"limit": ["2", "3"]}]
)
def test_parameter_that_is_wrong_is_named(caller, query):
    answer = caller.get("/invitations", **query)

    assert is_problem(answer, 422, "fields_invalid")
    assert [row["field"] for row in answer.json()["fields"]] == list(query)
    assert all(row["message"] for row in answer.json()["fields"])


@pytest.mark.parametrize("cursor", ["x", "é", "L2FwaS92MS9jdXN0b21lcnMgeH4x", "A" * 500])
def test_text_that_is_no_cursor_is_refused(caller, cursor):
    assert is_problem(caller.get("/invitations", after=cursor), 422, "cursor_unknown")


def test_cursor_of_another_list_is_refused(caller):
    for _ in range(2):
        make_associated(invitation=InvitationFactory(partner=caller.key.partner))
    following = caller.get("/customers", limit=1).json()["next"]
    [cursor] = parse_qs(urlsplit(following).query)["after"]
    place = urlsafe_b64decode(cursor).decode().partition(" ")[2]
    own = urlsafe_b64encode(f"{API}/invitations {place}".encode()).decode()

    # The path tells them apart, and nothing else does.
    assert caller.get("/invitations", after=own).status_code == 200
    assert is_problem(caller.get("/invitations", after=cursor), 422, "cursor_unknown")


@pytest.mark.parametrize("path", ["/invitations", "/customers"])
@pytest.mark.parametrize("reference", ["a\0b", " ", "x" * 129])
def test_filter_by_a_reference_that_none_can_be_is_refused(caller, path, reference):
    answer = caller.get(path, reference=reference)

    assert is_problem(answer, 422, "fields_invalid")
    assert [row["field"] for row in answer.json()["fields"]] == ["reference"]


def test_filter_by_reference_is_cleaned_as_the_reference_is(caller):
    made = caller.post("/invitations", {**LINK, "reference": " CRM\u200b  7 "}).json()
    answer = caller.get("/invitations", reference="CRM 7\u200b ")

    assert made["reference"] == "CRM 7"
    assert answer.json()["items"] == [made]


def test_limit_of_calls_is_per_key(caller, settings):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "api": (2, 60)}
    other = Caller(PartnerFactory())
    answers = [caller.get("/invitations") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert is_problem(answers[2], 429, "tried_too_often")
    assert 1 <= int(answers[2]["Retry-After"]) <= 60
    assert other.get("/invitations").status_code == 200


def test_limit_of_unknown_keys_is_per_network_and_stops_no_known_key(caller, settings):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "api_unknown_key": (2, 60)}
    headers = {"Authorization": "Bearer pak_" + "0" * 32}
    answers = [Client().get(f"{API}/invitations", headers=headers) for _ in range(3)]
    elsewhere = Client(REMOTE_ADDR="198.51.100.7").get(f"{API}/invitations", headers=headers)

    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert is_problem(answers[2], 429, "tried_too_often")
    assert (elsewhere.status_code, caller.get("/invitations").status_code) == (401, 200)
