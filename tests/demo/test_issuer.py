"""The test issuer of the demo: its setting can be read, and it knows the people who are printed."""

import json
from datetime import UTC, datetime

from accounts.issuers import read_issuers
from demo.issuer import NAME, SHOWN, issuer_command, issuer_setting


def test_setting_names_the_issuer_at_its_port():
    (issuer,) = read_issuers(issuer_setting(8100), allow_http=True)
    assert (issuer.name, issuer.issuer) == (NAME, "http://127.0.0.1:8100")
    assert issuer.registration


def test_issuer_knows_the_people_who_are_printed():
    command = issuer_command(8100, datetime(2026, 5, 4, tzinfo=UTC))
    assert command[:4] == ["-m", "oidc_provider_mock", "--port", "8100"]
    people = [json.loads(claims) for claims in command[5::2]]
    assert [person["sub"] for person in people] == list(SHOWN)
    assert people[0]["registered_at"] == "2026-05-02T00:00:00+00:00"
    assert [person["email_verified"] for person in people] == [True, True, True, False]
