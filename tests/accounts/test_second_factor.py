"""Turning the second step of the log-in on and off: codes, repeated forms, and the e-mails."""

import base64
import re
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.utils import timezone

from accounts.enums import SecondFactorRefusal
from accounts.models import User
from accounts.services.passwords import change_password
from accounts.services.second_factor import new_totp_secret, set_up_second_factor
from association.services.invariants.trail import trail_equals_state
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from outbox.services.rendering import render_message
from tests.factories import PASSWORD, UserFactory
from tests.totp import code_now, wrong_code
from web.refused import Refused

pytestmark = pytest.mark.django_db
PAGE, SECRET = "/account/2fa/", "second_factor_secret"


@pytest.fixture(autouse=True)
def _stopped_clock():
    """Stop the clock: the app must not show another code in the middle of a test."""
    with time_machine.travel(timezone.now(), tick=False):
        yield


@pytest.fixture
def user():
    return UserFactory.create()


@pytest.fixture
def client(user):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    return client


def begin(client):
    answer = client.post(PAGE, {"action": "begin"})
    assert (answer.status_code, answer["Location"]) == (303, PAGE)
    return client.session[SECRET]


def set_up(client, code, password=PASSWORD):
    return client.post(PAGE, {"action": "set_up", "code": code, "password": password})


def remove(client, code, password=PASSWORD):
    return client.post(PAGE, {"action": "remove", "code": code, "password": password})


def later(seconds):
    """Return a moment at which the app shows another code, and limits are forgotten."""
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=False)


def actions():
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


def test_visitor_is_asked_to_log_in():
    answer = Client(SERVER_NAME="127.0.0.1").get(PAGE)
    assert answer["Location"] == f"/account/login/?next={PAGE}"


def test_settings_link_to_the_page(client):
    assert f'href="{PAGE}"' in client.get("/account/settings/").content.decode()


def test_get_creates_no_secret(client):
    before = dict(client.session.items())
    assert client.get(PAGE).status_code == 200
    assert dict(client.session.items()) == before


def test_secret_is_shown_as_text_and_as_a_picture(client):
    secret = begin(client)
    page = client.get(PAGE)
    assert page.context["secret_in_groups"].replace(" ", "") == secret
    picture = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', page.content.decode())[1]
    drawn = base64.b64decode(picture).decode()
    assert "white" in drawn
    assert not Authenticator.objects.exists()
    assert client.get(PAGE).context["picture"] == page.context["picture"]


def test_first_code_turns_it_on_and_recovery_codes_are_shown(client, user):
    secret = begin(client)
    before = client.session.session_key
    page = set_up(client, code_now(secret))
    assert page.status_code == 200
    assert client.session.session_key != before
    codes = re.findall(r'<code dir="ltr">(\d+)</code>', page.content.decode())
    assert len(set(codes)) == 10
    types = Authenticator.objects.filter(user=user).values_list("type", flat=True)
    assert sorted(types) == ["recovery_codes", "totp"]
    shown = client.get(PAGE).content.decode()
    assert codes[0] not in shown
    assert secret not in shown
    assert actions() == ["user.second_factor_added"]
    message = OutboxMessage.objects.get()
    assert (message.kind, message.recipient) == ("accounts.second_factor_changed", user.email)
    assert render_message(message).subject == "Logging in takes a second step now"
    assert list(trail_equals_state()) == []


def test_second_click_shows_the_same_codes_and_writes_nothing(client):
    secret = begin(client)
    code = code_now(secret)
    first, second = set_up(client, code), set_up(client, code)
    assert second.status_code == 200
    assert second.context["codes"] == first.context["codes"]
    assert (len(actions()), OutboxMessage.objects.count()) == (1, 1)
    with later(301):
        answer = set_up(client, code_now(secret))
        assert (answer.status_code, answer["Location"]) == (303, PAGE)


def test_recovery_codes_are_shown_again_only_for_the_code_that_set_it_up(client):
    secret = begin(client)
    code = code_now(secret)
    set_up(client, code)
    assert set_up(client, wrong_code(secret))["Location"] == PAGE
    with later(301):
        assert set_up(client, code).status_code == 200
    begin(client)
    assert set_up(client, code)["Location"] == PAGE


@pytest.mark.parametrize(
    ("make_code", "password", "sentence"),
    [
        (wrong_code, PASSWORD, "That is not the code that the app shows now."),
        (code_now, "another password", "That is not your password."),
        (lambda secret: "12345", PASSWORD, "The code has six digits."),
        (lambda secret: "", PASSWORD, "Enter the code that the app shows."),
    ],
    ids=["wrong code", "wrong password", "five digits", "no code"],
)
def test_wrong_code_or_password_turns_nothing_on(client, make_code, password, sentence):
    secret = begin(client)
    page = set_up(client, make_code(secret), password)
    assert page.status_code == 400
    assert sentence in page.content.decode()
    assert client.session[SECRET] == secret
    assert not Authenticator.objects.exists()
    assert (actions(), OutboxMessage.objects.count()) == ([], 0)


def test_set_up_without_a_secret_redirects_to_the_page(client):
    for action in ("set_up", "no such act"):
        answer = client.post(PAGE, {"action": action, "code": "123456", "password": PASSWORD})
        assert (answer.status_code, answer["Location"]) == (303, PAGE)
    assert not Authenticator.objects.exists()


def test_sixth_guess_has_to_wait(client):
    secret = begin(client)
    statuses = [set_up(client, wrong_code(secret)).status_code for _ in range(6)]
    assert statuses == [400] * 5 + [429]
    answer = set_up(client, code_now(secret))
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 300
    assert not Authenticator.objects.exists()


def test_code_that_turned_it_on_is_used_up(client):
    secret = begin(client)
    code = code_now(secret)
    set_up(client, code)
    page = remove(client, code)
    assert page.status_code == 400
    assert "That is not the code, or it has been used." in page.content.decode()
    assert Authenticator.objects.count() == 2


@pytest.mark.parametrize("with_recovery_code", [False, True])
def test_it_is_turned_off_with_password_and_code(client, user, with_recovery_code):
    secret = begin(client)
    codes = set_up(client, code_now(secret)).context["codes"]
    with later(60):
        code = codes[3] if with_recovery_code else code_now(secret)
        assert remove(client, code, "another password").status_code == 400
        assert Authenticator.objects.count() == 2
        for _ in range(2):
            answer = remove(client, code)
            assert (answer.status_code, answer["Location"]) == (303, PAGE)
    assert not Authenticator.objects.exists()
    assert SECRET not in client.session
    assert actions() == ["user.second_factor_added", "user.second_factor_removed"]
    off = OutboxMessage.objects.order_by("pk").last()
    assert render_message(off).subject == "Logging in takes no second step any more"


def test_every_other_session_ends_when_it_is_turned_on(client, user):
    """Whoever logged in with the password alone has not passed the second step."""
    other = Client(SERVER_NAME="127.0.0.1")
    other.force_login(user)
    set_up(client, code_now(begin(client)))
    assert other.get("/account/settings/")["Location"] == "/account/login/?next=/account/settings/"
    assert client.get("/account/settings/").status_code == 200
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_wrong_code_ends_no_session(client, user):
    other = Client(SERVER_NAME="127.0.0.1")
    other.force_login(user)
    set_up(client, wrong_code(begin(client)))
    assert other.get("/account/settings/").status_code == 200


def test_password_that_was_changed_meanwhile_is_not_taken_back(user):
    checked, now, secret = User.objects.get(pk=user.pk), timezone.now(), new_totp_secret()
    change_password(user=user, password="another good long one", by=user, now=now)
    with pytest.raises(Refused) as refused:
        set_up_second_factor(
            user=checked,
            password_hash=make_password(PASSWORD),
            secret=secret,
            code=code_now(secret),
            now=now,
        )
    assert refused.value.code == SecondFactorRefusal.PASSWORD_CHANGED
    user.refresh_from_db()
    assert user.check_password("another good long one")
    assert not Authenticator.objects.exists()


def test_next_log_in_asks_for_the_code(client, user):
    secret = begin(client)
    set_up(client, code_now(secret))
    browser = Client(SERVER_NAME="127.0.0.1")
    answer = browser.post("/account/login/", {"login": user.email, "password": PASSWORD})
    assert answer["Location"] == "/account/2fa/authenticate/"
    with later(60):
        browser.post(answer["Location"], {"code": code_now(secret)})
    assert browser.get("/account/settings/").status_code == 200
