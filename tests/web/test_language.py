"""The language of the answers: whose choice counts, and in whose browser it is kept."""

import pytest
from django.conf import settings

OURS = [
    settings.SESSION_COOKIE_NAME,
    settings.BROWSER_COOKIE_NAME,
    settings.MESSAGE_COOKIE_NAME,
    settings.LANGUAGE_COOKIE_NAME,
    settings.CSRF_COOKIE_NAME,
]


def kept(response) -> str | None:
    cookie = response.cookies.get(settings.LANGUAGE_COOKIE_NAME)
    return cookie and cookie.value


@pytest.mark.parametrize("name", OURS)
def test_choice_is_kept_where_a_cookie_of_ours_is(client, name):
    client.cookies[name] = "x"
    assert kept(client.get("/livez?lang=en")) == "en"


@pytest.mark.parametrize("name", ["_ga", "theme", f"{settings.SESSION_COOKIE_NAME}2"])
def test_look_with_a_foreign_cookie_keeps_nothing(client, name):
    client.cookies[name] = "x"
    assert dict(client.get("/livez?lang=en").cookies) == {}


def test_look_without_cookies_keeps_nothing(client):
    assert dict(client.get("/livez?lang=en").cookies) == {}


def test_first_post_keeps_the_choice(client):
    assert kept(client.post("/livez?lang=en")) == "en"


@pytest.mark.parametrize("code", ["", "xx", "en\0", "EN"])
def test_language_that_we_do_not_speak_is_not_kept(client, code):
    client.cookies[settings.SESSION_COOKIE_NAME] = "x"
    assert kept(client.get("/livez", {"lang": code})) is None
