"""The language cookie: when a choice is stored."""

import pytest
from django.conf import settings

OURS = [
    settings.SESSION_COOKIE_NAME,
    settings.BROWSER_COOKIE_NAME,
    settings.MESSAGE_COOKIE_NAME,
    settings.LANGUAGE_COOKIE_NAME,
    settings.CSRF_COOKIE_NAME,
]


def stored_language(response) -> str | None:
    cookie = response.cookies.get(settings.LANGUAGE_COOKIE_NAME)
    return cookie and cookie.value


@pytest.mark.parametrize("name", OURS)
def test_choice_is_stored_beside_a_cookie_of_ours(client, name):
    client.cookies[name] = "x"
    assert stored_language(client.get("/livez?lang=en")) == "en"


@pytest.mark.parametrize("name", ["_ga", "theme", f"{settings.SESSION_COOKIE_NAME}2"])
def test_get_with_a_foreign_cookie_stores_nothing(client, name):
    client.cookies[name] = "x"
    assert dict(client.get("/livez?lang=en").cookies) == {}


def test_get_without_cookies_stores_nothing(client):
    assert dict(client.get("/livez?lang=en").cookies) == {}


def test_post_stores_the_choice(client):
    assert stored_language(client.post("/livez?lang=en")) == "en"


@pytest.mark.parametrize("code", ["", "xx", "en\0", "EN"])
def test_unknown_language_is_not_stored(client, code):
    client.cookies[settings.SESSION_COOKIE_NAME] = "x"
    assert stored_language(client.get("/livez", {"lang": code})) is None
