"""The test issuer of the demo: its setting can be read, and it knows the people who are printed."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.request import urlopen

import pytest
from django.conf import settings

from accounts.issuers import read_issuers
from demo.issuer import NAME, SHOWN, issuer_address, issuer_command, issuer_setting
from tests.integration.other_issuers import free_port, wait_for


def test_setting_names_the_issuer_at_its_port():
    (issuer,) = read_issuers(issuer_setting(8100), allow_http=True)
    assert (issuer.name, issuer.issuer) == (NAME, "http://127.0.0.1:8100")
    assert issuer.registration


@pytest.mark.slow
def test_issuer_prints_nothing_while_it_answers():
    port = free_port()
    program = subprocess.Popen(  # noqa: S603 - our own arguments
        [sys.executable, *issuer_command(port)],
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        wait_for(port)
        with urlopen(f"{issuer_address(port)}/.well-known/openid-configuration") as answer:  # noqa: S310
            assert answer.status == HTTPStatus.OK
    finally:
        program.terminate()
        printed, _errors = program.communicate(timeout=30)
    assert printed == b""


def test_issuer_knows_the_people_who_are_printed():
    command = issuer_command(8100, datetime(2026, 5, 4, tzinfo=UTC))
    assert command[:4] == ["-m", "demo.issuer", "--port", "8100"]
    people = [json.loads(claims) for claims in command[5::2]]
    assert [person["sub"] for person in people] == list(SHOWN)
    assert people[0]["registered_at"] == "2026-05-02T00:00:00+00:00"
    assert [person["email_verified"] for person in people] == [True, True, True, False]
