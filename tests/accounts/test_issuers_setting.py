"""OIDC_PROVIDERS: what is read, and which mistakes stop every command."""

import json

import pytest

from accounts.issuers import InvalidIssuers, origin_of, read_issuers

ROW = {"id": "cloud", "name": "Cloud", "issuer": "https://id.example", "client_id": "a"}


def read(*rows, allow_http=False):
    return read_issuers(json.dumps(list(rows)), allow_http=allow_http)


def test_nothing_is_no_issuer():
    assert read_issuers("", allow_http=False) == read_issuers(" [] ", allow_http=False) == ()


def test_row_is_read_with_its_defaults():
    (issuer,) = read({**ROW, "client_secret": "b", "origins": ["https://login.example/path"]})
    assert issuer.scopes == ("openid", "email", "profile")
    assert dict(issuer.claims) == {"name": "name"}
    assert issuer.origins == ("https://id.example", "https://login.example")
    assert (issuer.registration, issuer.acr, issuer.amr) == (False, (), ())
    assert "client_secret" not in repr(issuer)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"id": ""}, "“id” must be a text"),
        ({"id": "Cloud ID"}, "“id” may have"),
        ({"name": 7}, "“name” must be a text"),
        ({"client_id": None}, "“client_id” must be a text"),
        ({"issuer": "http://id.example"}, "begins with https://"),
        ({"issuer": "https://user@id.example"}, "must be a plain address"),
        ({"issuer": "https://id.example#a"}, "must be a plain address"),
        ({"issuer": "https://id.example;x"}, "must be a plain address"),
        ({"issuer": "https://id.example:x"}, "must be a plain address"),
        ({"issuer": "https://" + "x" * 200}, "longer than 200"),
        ({"origins": ["javascript:alert(1)"]}, "must be a plain address"),
        ({"origins": "https://a.example"}, "“origins” must be a list of texts"),
        ({"registration": "yes"}, "“registration” must be true or false"),
        ({"claims": []}, "“claims” must be an object of texts"),
        ({"claims": {"name": 7}}, "“claims” must be an object of texts"),
        ({"claims": {"colour": "a"}}, "“claims” has unknown keys: colour"),
        ({"secret": "a"}, "has unknown keys: secret"),
    ],
)
def test_mistakes_are_named(changed, error):
    with pytest.raises(InvalidIssuers, match=error):
        read(ROW | changed)


@pytest.mark.parametrize("text", ["{", "{}", "[1]", "7"])
def test_other_json_is_refused(text):
    with pytest.raises(InvalidIssuers):
        read_issuers(text, allow_http=False)


def test_two_of_one_kind_are_refused():
    with pytest.raises(InvalidIssuers, match="the same id"):
        read(ROW, ROW | {"issuer": "https://other.example"})
    with pytest.raises(InvalidIssuers, match="the same issuer"):
        read(ROW, ROW | {"id": "other"})


def test_http_is_for_the_demo_only():
    assert read(ROW | {"issuer": "http://127.0.0.1:9"}, allow_http=True)[0].origins == (
        "http://127.0.0.1:9",
    )


def test_origin_of_an_ipv6_address_has_its_brackets():
    assert origin_of("https://[::1]:8/a?b", schemes={"https"}) == "https://[::1]:8"
