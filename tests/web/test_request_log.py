"""With LOG_FORMAT=json each request is one line; floods of 4xx are sampled."""

import json
import logging

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import InvitationFactory, UserFactory
from web import sampling

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines_of(settings, caplog, monkeypatch):
    """Return a function that acts and returns the lines of requests."""
    settings.LOG_FORMAT = "json"
    monkeypatch.setattr(sampling, "_sampler", sampling.Sampler())
    caplog.set_level(logging.INFO)

    def lines(act):
        caplog.clear()
        act()
        return [json.loads(r.getMessage()) for r in caplog.records if r.name == "requests"]

    return lines


def test_line_has_route_status_time_and_statements_but_no_path(lines_of, caplog):
    invitation = InvitationFactory()
    [line] = lines_of(lambda: Client().get(f"/i/{invitation.token}?code=123456"))
    assert 0 < line.pop("milliseconds") < 10_000
    assert line == {
        "event": "request",
        "method": "GET",
        "route": "landing",
        "status": 200,
        "statements": 1,
        "actor": None,
    }
    assert invitation.token not in caplog.text
    assert "123456" not in caplog.text


def test_line_names_the_user_without_a_statement_of_its_own(lines_of):
    user, client = UserFactory(), Client()
    client.force_login(user)
    [line] = lines_of(lambda: client.get(reverse("account_settings")))
    assert (line["actor"], line["route"]) == (user.pk, "account_settings")
    [line] = lines_of(lambda: client.get("/livez"))
    assert (line["actor"], line["statements"]) == (None, 0)


def test_unknown_path_is_no_route(lines_of):
    [line] = lines_of(lambda: Client().get("/ann@example.org/no/such/page"))
    assert (line["route"], line["status"]) == ("unknown", 404)


def test_flood_of_404_is_bounded_and_the_lines_say_how_many_were_left_out(lines_of, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(sampling, "_sampler", sampling.Sampler(clock=lambda: clock[0]))
    client = Client()

    def flood():
        for _ in range(500):
            client.get("/no/such/page")

    assert len(lines_of(flood)) == sampling.MOST_LINES
    clock[0] = 61.0
    [line] = lines_of(lambda: client.get("/no/such/page"))
    assert line["left_out_before"] == 500 - sampling.MOST_LINES


def test_flood_of_forged_forms_is_bounded_in_the_security_log(lines_of, caplog):
    client = Client(enforce_csrf_checks=True)

    def flood():
        for _ in range(200):
            assert client.post(reverse("account_login")).status_code == 403

    lines_of(flood)
    events = [json.loads(r.getMessage()) for r in caplog.records if r.name == "security"]
    assert [event["event"] for event in events] == ["csrf_failed"] * sampling.MOST_LINES


def test_without_json_no_line_is_written(lines_of, settings):
    settings.LOG_FORMAT = "text"
    assert lines_of(lambda: Client().get("/livez")) == []
