"""Issuers that err, lie, hang or are imitated: a page in plain words, and nothing is connected."""

import base64
import json
import time
from datetime import timedelta

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.test import Client
from django.utils import timezone
from jwt.algorithms import RSAAlgorithm

from accounts.models import ConnectedLogin, User
from association.models import Attempt
from integration.services import fetching
from tests.factories import UserFactory
from tests.integration.issuer import (
    CLIENT_ID,
    OTHER_KEY,
    begun_by_email,
    connected,
    go,
    log_in,
    logged_in_just_now,
    signed_in_as,
)
from tests.tables import tables

pytestmark = pytest.mark.django_db

WRONG = "We could not verify its answer"
NOT_PROVEN = "It does not confirm that your e-mail address is yours."
UNKNOWN = "This log-in cannot be continued here"
AWAY = "It does not answer at the moment."
CALLBACK = "/account/issuers/cloud/callback"


def seconds(number):
    return int(time.time()) + number


TOKENS = {
    "another issuer": {"iss": "https://evil.example"},
    "another audience": {"aud": "another-client"},
    "several audiences without a party": {"aud": [CLIENT_ID, "another"]},
    "another party": {"azp": "another-client"},
    "another nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "a nonce that is a number": {"nonce": 7},
    "expired": {"exp": seconds(-120)},
    "no expiry": {"exp": None},
    "issued tomorrow": {"iat": seconds(86_400)},
    "issued before the log-in began": {"iat": seconds(-3_600)},
    "issued at no moment": {"iat": None},
    "issued at a text": {"iat": "NaN"},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a subject that is too long": {"sub": "x" * 256},
    "a subject with NUL": {"sub": "a\0b"},
    "a subject that is a number": {"sub": 7},
    "a registration that is no moment": {"registered_at": "yesterday"},
    "a registration without an offset": {"registered_at": "2026-01-01T00:00:00"},
    "a registration in the future": {"registered_at": seconds(86_400)},
    "a registration before 1970": {"registered_at": "1969-12-31T23:59:59Z"},
    "a registration before all years": {"registered_at": "0001-01-01T00:00:00+14:00"},
    "a registration beyond all years": {"registered_at": 1e300},
    "an external id that is a list": {"account": ["a"]},
    "an external id that is too long": {"account": "a" * 101},
    "an external id with a line break": {"account": "a\nb"},
    "an external id with half a character": {"account": "a\ud800"},
    "a subject with half a character": {"sub": "a\ud800"},
    "an unknown registration site": {"site": "moon"},
    "a registration site that is a list": {"site": ["international"]},
}
ADDRESSES = {
    "true as a text": {"email_verified": "true"},
    "false as a text": {"email_verified": "false"},
    "one": {"email_verified": 1},
    "false": {"email_verified": False},
    "nothing about it": {"email_verified": None},
    "no address": {"email": None},
    "an address that is none": {"email": "not an address"},
    "an address with half a character": {"email": "a\ud800@example.org"},
    "an address with NUL": {"email": "a\0b@example.org"},
    "an address that is a list": {"email": ["new.customer@example.org"]},
}


def assert_nothing_happened(walk, response, sentence, status=400):
    assert response.status_code == status
    assert sentence in response.content.decode()
    assert signed_in_as(walk.client) is None
    assert (User.objects.filter(connected_logins__isnull=False).count()) == 0
    assert Attempt.objects.get(pk=walk.attempt_id).account is None


def cases(table):
    return pytest.mark.parametrize("tampered", list(table.values()), ids=list(table))


@cases(TOKENS)
def test_wrong_token_is_no_log_in(issuer, tampered):
    walk = begun_by_email()
    issuer.tampered = tampered
    assert_nothing_happened(walk, log_in(walk.client, issuer, next_url=walk.url()), WRONG)


@cases(ADDRESSES)
def test_address_counts_only_if_the_issuer_has_proven_it(issuer, tampered):
    walk = begun_by_email()
    issuer.claims |= tampered
    assert_nothing_happened(walk, log_in(walk.client, issuer, next_url=walk.url()), NOT_PROVEN)


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_token_without_a_signature_of_the_issuer_is_refused(issuer, algorithm):
    walk = begun_by_email()
    key = "secret of the client".ljust(32, "!") if algorithm == "HS256" else None
    issuer.key, issuer.algorithm = key, algorithm
    assert_nothing_happened(walk, log_in(walk.client, issuer, next_url=walk.url()), WRONG)


def test_token_of_another_key_is_refused(issuer):
    walk = begun_by_email()
    issuer.key = OTHER_KEY
    assert_nothing_happened(walk, log_in(walk.client, issuer, next_url=walk.url()), WRONG)


def test_token_of_another_kind_of_key_is_refused(issuer):
    walk = begun_by_email()
    issuer.key, issuer.algorithm = ec.generate_private_key(ec.SECP256R1()), "ES256"
    assert_nothing_happened(walk, log_in(walk.client, issuer, next_url=walk.url()), WRONG)


@pytest.mark.parametrize("bits", [1024, 2048])
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_private_key_that_an_issuer_publishes_is_refused(issuer, monkeypatch, bits):
    walk = begun_by_email()
    issuer.key = rsa.generate_private_key(65537, bits)
    row = {**RSAAlgorithm.to_jwk(issuer.key, as_dict=True), "kid": "one", "use": "sig"}
    monkeypatch.setattr(issuer, "keys", lambda: {"keys": [row]})
    assert_nothing_happened(walk, log_in(walk.client, issuer, next_url=walk.url()), WRONG)


def test_unknown_keys_are_looked_for_once_a_minute(issuer):
    issuer.header = {"kid": "unknown"}
    for _number in range(3):
        assert log_in(Client(), issuer).status_code == 400
    assert issuer.requests.count("/keys") == 1


@pytest.mark.parametrize(
    "token", ["", "a.b.c", "a" * 5_000, 7, None, base64.b64encode(b"{}").decode() + ".e30."]
)
def test_token_that_is_none_is_refused(issuer, token):
    walk = begun_by_email()
    answer = {"access_token": "access", "id_token": token}
    issuer.answers["/token"] = lambda handler: handler.send(200, answer)
    assert_nothing_happened(walk, log_in(walk.client, issuer, next_url=walk.url()), WRONG)


def test_userinfo_of_another_subject_is_refused(issuer):
    walk = begun_by_email()
    del issuer.claims["email"]
    issuer.userinfo = {"sub": "another", "email": "new.customer@example.org"}
    assert_nothing_happened(walk, log_in(walk.client, issuer, next_url=walk.url()), WRONG)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"error": "access_denied"}, "You did not log in there."),
        ({"error": "server_error", "error_description": "<b>x</b>"}, "It did not log you in."),
        ({"error": "\0" * 3_000}, "It did not log you in."),
        ({"code": ""}, WRONG),
        ({"code": "unknown"}, "It did not log you in."),
        ({"code": "a", "iss": "https://evil.example"}, WRONG),
    ],
)
def test_error_of_the_issuer_is_told_in_our_words(issuer, query, sentence):
    walk = begun_by_email()
    state = issuer.authorize(go(walk.client, issuer, next_url=walk.url()))["state"]
    response = walk.client.get(CALLBACK, {"state": state, **query})
    assert_nothing_happened(walk, response, sentence)
    assert "<b>x</b>" not in response.content.decode()
    assert f"?next={walk.url()}" in response.content.decode()


def test_way_back_works_once(issuer):
    connected(issuer)
    client = Client()
    query = issuer.authorize(go(client, issuer))
    assert client.get(CALLBACK, query).status_code == 302
    again = client.get(CALLBACK, query)
    assert (again.status_code, UNKNOWN in again.content.decode()) == (400, True)
    assert signed_in_as(client) is not None


def test_way_back_works_only_in_the_browser_that_went(issuer):
    """Nobody can be logged in as somebody else by a link (log-in CSRF)."""
    connected(issuer)
    query = issuer.authorize(go(Client(), issuer))
    victim = Client()
    before = tables()
    response = victim.get(CALLBACK, query)
    assert (response.status_code, UNKNOWN in response.content.decode()) == (400, True)
    assert tables() == before


def test_way_back_ends_after_ten_minutes(issuer):
    connected(issuer)
    client = Client()
    query = issuer.authorize(go(client, issuer))
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        response = client.get(CALLBACK, query)
    assert (response.status_code, UNKNOWN in response.content.decode()) == (400, True)


def test_looking_does_not_use_up_the_way_back(issuer):
    connected(issuer)
    client = Client()
    query = issuer.authorize(go(client, issuer))
    assert client.head(CALLBACK, query).status_code == 200
    assert client.get(CALLBACK, query).status_code == 302


def test_two_tabs_come_back_independently(issuer):
    connected(issuer)
    client = Client()
    first, second = (
        issuer.authorize(go(client, issuer, next_url=f"/account/{tail}"))
        for tail in ("settings/", "partner/")
    )
    assert client.get(CALLBACK, second)["Location"] == "/account/partner/"
    # The log-in has made a new session, in which nothing of the one before is trusted.
    assert client.get(CALLBACK, first).status_code == 400


def test_six_begun_log_ins_keep_five(issuer):
    client = Client()
    locations = [go(client, issuer) for _number in range(6)]
    assert len(locations) == 6
    assert len(client.session["issuer_flows"]) == 5


def test_connected_login_of_another_user_is_not_connected_again(issuer):
    owner, other = connected(issuer), UserFactory.create()
    client = Client()
    client.force_login(other)
    logged_in_just_now(client)
    response = log_in(client, issuer, purpose="connect")
    assert response.status_code == 409
    assert ConnectedLogin.objects.get().user == owner


def test_login_is_connected_only_with_who_began(issuer):
    client, first, second = Client(), UserFactory.create(), UserFactory.create()
    client.force_login(first)
    logged_in_just_now(client)
    query = issuer.authorize(go(client, issuer, purpose="connect"))
    flows = client.session["issuer_flows"]
    client.force_login(second)
    session = client.session
    session["issuer_flows"] = flows
    session.save()
    assert client.get(CALLBACK, query).status_code == 400
    assert not ConnectedLogin.objects.exists()


METADATA = {
    "another issuer": {"issuer": "https://evil.example"},
    "no token endpoint": {"token_endpoint": None},
    "authorization elsewhere": {"authorization_endpoint": "http://127.0.0.1:1/authorize"},
    "keys in a file": {"jwks_uri": "file:///etc/passwd"},
    "an address with a name": {"token_endpoint": "http://user@127.0.0.1/token"},
}


@pytest.mark.parametrize("changed", list(METADATA.values()), ids=list(METADATA))
def test_unusable_documents_of_an_issuer_lead_nowhere(issuer, changed):
    document = issuer.metadata() | changed
    where = "/.well-known/openid-configuration"
    issuer.answers[where] = lambda handler: handler.send(200, document)
    response = Client().post("/account/issuers/cloud/start", {})
    assert (response.status_code, AWAY in response.content.decode()) == (503, True)
    assert int(response["Retry-After"]) > 0


def large(handler):
    handler.send(200, {"text": "x" * 300_000})


def redirected(handler):
    handler.send_response(302)
    handler.send_header("Location", "http://127.0.0.1:1/")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def no_json(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "3")
    handler.end_headers()
    handler.wfile.write(b"abc")


FAULTS = {
    "500": lambda handler: handler.send(500, {}),
    "a list": lambda handler: handler.send(200, []),
    "too much": large,
    "a redirect": redirected,
    "no JSON": no_json,
    "nothing": lambda handler: None,
}


@pytest.mark.parametrize("fault", list(FAULTS.values()), ids=list(FAULTS))
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
def test_faulty_issuer_is_not_called_after_five_failures(issuer, fault, path):
    issuer.answers[path] = fault
    for _number in range(5):
        assert try_to_log_in(issuer) == 503
    calls = issuer.requests.count(path)
    assert try_to_log_in(issuer) == 503
    assert issuer.requests.count(path) == calls


def try_to_log_in(issuer):
    client = Client()
    response = client.post("/account/issuers/cloud/start", {})
    if response.status_code == 303:
        response = client.get(CALLBACK, issuer.authorize(response["Location"]))
    return response.status_code


def test_successes_between_failures_keep_the_issuer_in_use(issuer):
    connected(issuer)
    for _number in range(4):
        issuer.answers["/token"] = FAULTS["500"]
        assert try_to_log_in(issuer) == 503
        issuer.answers.clear()
        assert try_to_log_in(issuer) == 302


def hang(handler):
    time.sleep(8)


def drip(handler):
    handler.send_response(200)
    handler.end_headers()
    for _number in range(80):
        handler.wfile.write(b" ")
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [hang, drip])
def test_hanging_issuer_costs_a_few_seconds_and_then_none(issuer, fault):
    issuer.answers["/token"] = fault
    began = time.monotonic()
    assert try_to_log_in(issuer) == 503
    limit = fetching.CONNECT_SECONDS + fetching.ANSWER_SECONDS + 1
    assert time.monotonic() - began < limit


def test_answers_that_are_deep_are_refused(issuer):
    deep = "[" * 100_000
    issuer.answers["/token"] = lambda handler: handler.wfile.write(
        b"HTTP/1.0 200 OK\r\n\r\n" + deep.encode()
    )
    assert try_to_log_in(issuer) == 503


def test_claims_of_any_shape_end_in_a_page(issuer):
    walk = begun_by_email()
    issuer.claims |= {"name": {"a": 1}, "country": ["DE"], "amr": {"a": 1}, "acr": [1]}
    response = log_in(walk.client, issuer, next_url=walk.url())
    assert (response.status_code, response["Location"]) == (303, "/account/issuers/cloud/country")
    assert json.dumps(walk.client.session["issuer_person"])


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("a\ud800", ""),
        ("a\0b", ""),
        ("a\nb", "a b"),
        ("x" * 500, "x" * 120),
        ("\u202e", ""),
        (7, ""),
    ],
)
def test_name_is_stored_as_people_could_type_it(issuer, name, stored):
    walk = begun_by_email()
    issuer.claims["name"] = name
    log_in(walk.client, issuer, next_url=walk.url())
    assert walk.attempt.account.name == stored
