"""Behind a proxy: which X-Forwarded-… headers are trusted, and the system checks."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.test import RequestFactory

from web.checks import check_proxies_are_named, check_proxy_addresses
from web.middleware import client_address

PROGRAM = """
import django
django.setup()
from django.core.checks import run_checks
from django.test import Client, RequestFactory
headers = {"SERVER_NAME": "join.example.com", "HTTP_X_FORWARDED_PROTO": "https"}
print(RequestFactory(**headers).get("/").is_secure())
print(Client(**headers).get("/livez").headers["Strict-Transport-Security"])
problems = run_checks(include_deployment_checks=True)
print([problem.id for problem in problems if not problem.is_silenced()])
"""
HSTS = "max-age=31536000; includeSubDomains"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("proxies", "secure", "problems"),
    [("", "False", "['web.W001']"), ("127.0.0.1", "True", "[]")],
    ids=["none", "named"],
)
def test_outside_the_demo_the_scheme_is_trusted_from_named_proxies(
    tmp_path, proxies, secure, problems
):
    # Browser tests set it; a server does not, and the deployment check rejects it.
    inherited = {k: v for k, v in os.environ.items() if k != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    environment = inherited | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEMO": "0",
        "SECRET_KEY": "".join(chr(letter) for letter in range(ord("!"), ord("~"))),
        "PUBLIC_BASE_URL": "https://join.example.com",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "TRUSTED_PROXIES": proxies,
        "PROVIDER_SUPPORT_EMAIL": "support@provider.example",
    }
    answer = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM],
        cwd=settings.BASE_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert answer.stdout.splitlines() == [secure, HSTS, problems]


@pytest.mark.parametrize(
    ("demo", "proxies", "ids"),
    [
        (False, [], ["web.W001"]),
        (False, ["10.0.0.7"], []),
        (True, [], []),
    ],
)
def test_missing_proxies_are_a_warning_outside_the_demo(settings, demo, proxies, ids):
    settings.DEMO, settings.TRUSTED_PROXIES = demo, proxies
    assert [problem.id for problem in check_proxies_are_named(None)] == ids


@pytest.mark.parametrize("proxy", ["10.0.0.0/8", "proxy", "2001:DB8::1", "127.0.0.1:80", " "])
def test_proxy_that_would_never_match_is_an_error(settings, proxy):
    settings.TRUSTED_PROXIES = ["127.0.0.1", proxy, "2001:db8::1"]
    assert [problem.id for problem in check_proxy_addresses(None)] == ["web.E001"]
    assert "web.E001" in [problem.id for problem in run_checks()]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.7, 10.0.0.7", "198.51.100.7"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "nonsense", None),
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
    ],
)
def test_forwarded_addresses_are_trusted_from_named_proxies_only(
    settings, peer, forwarded, address
):
    settings.TRUSTED_PROXIES = ["127.0.0.1", "10.0.0.7"]
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = RequestFactory(REMOTE_ADDR=peer).get("/", headers=headers)
    assert client_address(request) == address
