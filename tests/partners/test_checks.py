"""The system check of the base that all links begin with."""

import pytest
from django.core.checks import run_checks

from partners.checks import check_public_base_url


def found(settings, base):
    settings.PUBLIC_BASE_URL = base
    return [message.id for message in check_public_base_url(None)]


@pytest.mark.parametrize(
    "base",
    [
        "https://example.com",
        "https://example.com:8443",
        "http://127.0.0.1:8000",
        "http://localhost",
        "https://[2001:db8::1]:8443",
        "https://" + "a" * 54,
    ],
)
def test_scheme_host_and_port_are_accepted(settings, base):
    assert found(settings, base) == []


@pytest.mark.parametrize(
    "base",
    [
        "",
        "example.com",
        "//example.com",
        "ftp://example.com",
        "https://",
        "https://Example.com",
        "https://example.com/",
        "https://example.com/app",
        "https://example.com?x=1",
        "https://example.com?",
        "https://example.com#x",
        "https://me:secret@example.com",
        "https://@example.com",
        "https://example.com:",
        "https://example.com:0",
        "https://example.com:65536",
        "https://example.com:http",
        "https://exa mple.com",
        "https://example.com\n",
        "https://-example.com",
        "https://example.com\\evil",
    ],
)
def test_anything_else_is_an_error_that_does_not_repeat_it(settings, base):
    settings.PUBLIC_BASE_URL = base
    [message] = check_public_base_url(None)
    assert message.id == "partners.E001"
    assert "secret" not in f"{message.msg} {message.hint}"


def test_more_than_62_characters_is_a_warning(settings):
    base = "https://" + "a" * 54
    assert len(base) == 62
    assert found(settings, base + "a") == ["partners.W001"]


def test_check_runs_with_all_others(settings):
    settings.PUBLIC_BASE_URL = "https://example.com/app"
    assert "partners.E001" in {message.id for message in run_checks()}
