"""The security log tells each event exactly once, with request, actor and network address."""

import json
import logging

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.services.second_factor import new_authenticator_app, new_totp_secret
from audit.services import record_audit_event, record_audit_events
from tests.factories import (
    PASSWORD,
    CustomerAccountFactory,
    InvitationFactory,
    PartnerMemberFactory,
    UserFactory,
)
from tests.journeys.walk import (
    ADDRESS,
    Walk,
    newest_code,
    other_code,
    ready_attempt,
    walk_of,
)
from tests.totp import wrong_code
from web import sampling

pytestmark = pytest.mark.django_db
LOGIN = "/account/login/"
MOMENT_AND_REQUEST = {"at", "request", "network_address"}


@pytest.fixture(autouse=True)
def _fresh_sampler(monkeypatch):
    monkeypatch.setattr(sampling, "_sampler", sampling.Sampler())


@pytest.fixture
def told(caplog, django_capture_on_commit_callbacks):
    """Return a function that acts, commits, and returns the events of the security log."""
    caplog.set_level(logging.INFO)

    def events_of(act):
        caplog.clear()
        with django_capture_on_commit_callbacks(execute=True):
            act()
        lines = [record for record in caplog.records if record.name == "security"]
        return [json.loads(line.getMessage()) for line in lines]

    return events_of


def names(events):
    return [event["event"] for event in events]


def log_in(client, login, password=PASSWORD):
    return client.post(LOGIN, {"login": login, "password": password})


@pytest.mark.django_db(transaction=True)
def test_whole_journey_tells_each_step_once_and_no_secret(caplog):
    caplog.set_level(logging.INFO)
    walk = Walk(InvitationFactory.create(max_uses=2))
    walk.client.get(f"/i/{walk.invitation.token}")
    walk.begin(letter=True)
    walk.post("account", choice="register")
    walk.register()
    walk.enable()
    lines = [record.getMessage() for record in caplog.records if record.name == "security"]
    events = [json.loads(line) for line in lines]
    assert names(events) == [
        "code.sent",
        "account.registered",
        "login.succeeded",
        "account.enabled",
        "authorization.granted",
        "freeze.opened",
        "association.made",
        "invitation.used",
    ]
    owner = walk.attempt.account.owner_id
    assert {event["network_address"] for event in events} == {"127.0.0.1"}
    assert [len(event["request"]) for event in events] == [32] * len(events)
    assert {event.get("actor", owner) for event in events} == {owner}
    for secret in (walk.invitation.token, ADDRESS, newest_code(), PASSWORD):
        assert secret not in caplog.text


def test_action_that_is_rolled_back_is_not_told(told):
    user = UserFactory()

    @transaction.atomic
    def fail():
        record_audit_event(action="x.done", about=user, by=user, now=timezone.now())
        raise ZeroDivisionError

    def act():
        with pytest.raises(ZeroDivisionError):
            fail()

    assert told(act) == []


def test_many_changes_are_one_line_with_their_number(told):
    users = UserFactory.create_batch(3)
    changes = [(user, None, {"a": 1}) for user in users]

    def record(changes):
        record_audit_events(action="x.imported", changes=changes, by=None, now=timezone.now())

    [event] = told(lambda: record(changes))
    assert {name: event[name] for name in event.keys() - MOMENT_AND_REQUEST} == {
        "event": "x.imported",
        "actor": None,
        "object": "accounts.user",
        "count": 3,
    }
    assert told(lambda: record([])) == []


def test_log_ins(told, client):
    user = UserFactory.create()
    [failed] = told(lambda: log_in(client, user.account_name, "wrong"))
    assert (failed["event"], failed["user"]) == ("login.failed", user.pk)
    [unknown] = told(lambda: log_in(client, "nobody.here", "wrong"))
    assert (unknown["event"], unknown["user"]) == ("login.failed", None)
    [succeeded] = told(lambda: log_in(client, user.account_name))
    assert (succeeded["event"], succeeded["actor"]) == ("login.succeeded", user.pk)


def test_limit(told, client):
    user = UserFactory.create()
    for _ in range(5):
        log_in(client, user.account_name, "wrong")
    [limited] = told(lambda: log_in(client, user.account_name))
    assert {name: limited[name] for name in limited.keys() - MOMENT_AND_REQUEST} == {
        "event": "rate_limited",
        "route": "account_login",
        "status": 429,
        "actor": None,
        "code": "tried_too_often",
        "reasons": [],
    }


def test_second_factor(told, client):
    user, secret = UserFactory.create(), new_totp_secret()
    new_authenticator_app(user=user, secret=secret).save()
    assert told(lambda: log_in(client, user.account_name)) == []
    page = reverse("mfa_authenticate")
    assert names(told(lambda: client.post(page, {"code": wrong_code(secret)}))) == [
        "second_factor.failed"
    ]


def test_codes(told):
    walk = Walk(InvitationFactory.create())
    walk.begin()
    assert names(told(walk.send_code)) == ["code.sent"]
    assert names(told(walk.send_code)) == ["rate_limited"]
    data = {"code": other_code(newest_code()), "password": PASSWORD}

    def guess():
        walk.client.post(walk.url("register/account"), data)

    told_codes = [[(event["event"], event["code"]) for event in told(guess)] for _ in range(6)]
    assert told_codes == [[("refused", "wrong")]] * 5 + [[("refused", "used_up")]]


def test_refusal_with_its_rules(told):
    account = CustomerAccountFactory.create(enabled=True, registration_site="chinese_mainland")
    walk = walk_of(ready_attempt(account=account))
    [refused] = told(lambda: walk.post("confirm"))
    assert {name: refused[name] for name in refused.keys() - MOMENT_AND_REQUEST} == {
        "event": "refused",
        "route": "join_confirm",
        "status": 409,
        "actor": account.owner_id,
        "code": "not_admitted",
        "reasons": ["chinese_mainland_site"],
    }


def test_repeated_final_post_is_no_refusal(told):
    walk = walk_of(ready_attempt())
    assert "association.made" in names(told(lambda: walk.post("confirm")))
    assert told(lambda: walk.post("confirm")) == []


def test_console(told):
    boss = PartnerMemberFactory.create(administrator=True)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(boss.user)
    invitation = InvitationFactory.create(partner=boss.partner, created_by=boss.user)
    console = f"/partner/invitations/{invitation.pk}/"
    assert names(told(lambda: client.get(console))) == ["invitation.shown"]
    [revoked, *more] = told(lambda: client.post(f"{console}revoke", {"form_key": "k" * 22}))
    assert (revoked["event"], revoked["actor"], more) == ("invitation.revoked", boss.user_id, [])


def test_csrf_failure_and_missing_right(told):
    strict = Client(enforce_csrf_checks=True)
    assert names(told(lambda: log_in(strict, "a", "b"))) == ["csrf_failed"]
    strict.force_login(UserFactory.create())
    assert names(told(lambda: strict.get(reverse("admin:login")))) == ["permission_denied"]


def test_flood_is_sampled_and_the_lines_say_so(told, monkeypatch):
    monkeypatch.setattr(sampling, "_sampler", sampling.Sampler(most=3))
    strict = Client(enforce_csrf_checks=True)

    def flood():
        for _ in range(20):
            log_in(strict, "a", "b")

    assert names(told(flood)) == ["csrf_failed"] * 3
