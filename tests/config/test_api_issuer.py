"""The settings of the issuer of JWTs for the API: both or none, and an address by https."""

import environ
import pytest

from config.api_issuer import read_api_issuer

ISSUER, AUDIENCE = "https://id.example.com/realms/cloud", "https://partners.example.com/api"


def read(issuer, audience, *, allow_http=False):
    env = environ.Env()
    env.ENVIRON = {"API_JWT_ISSUER": issuer, "API_JWT_AUDIENCE": audience}
    return read_api_issuer(env, allow_http=allow_http)


@pytest.mark.parametrize("issuer", ["", ISSUER, "https://id.example.com:8443/"])
def test_both_or_none_are_taken(issuer):
    audience = AUDIENCE if issuer else ""

    assert read(issuer, audience) == (issuer, audience)


def test_http_is_for_the_demo():
    assert read("http://127.0.0.1:9000", "x", allow_http=True) == ("http://127.0.0.1:9000", "x")


@pytest.mark.parametrize(
    ("issuer", "audience"),
    [
        (ISSUER, ""),
        ("", AUDIENCE),
        ("http://id.example.com", AUDIENCE),
        ("id.example.com", AUDIENCE),
        ("https://", AUDIENCE),
        ("https://me:secret@id.example.com", AUDIENCE),
        ("https://id.example.com/?a=b", AUDIENCE),
        ("https://id.example.com/#a", AUDIENCE),
        ("https://id.example.com:99999/", AUDIENCE),
        ("https://id.example.com/a b", AUDIENCE),
        (f"https://id.example.com/{'x' * 200}", AUDIENCE),
    ],
)
def test_anything_else_starts_nothing(issuer, audience):
    with pytest.raises(SystemExit) as stopped:
        read(issuer, audience)

    assert "API_JWT_ISSUER" in str(stopped.value)
