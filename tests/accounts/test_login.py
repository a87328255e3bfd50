"""Logging in and out: one answer for every failure, limits, sessions, and redirects."""

import re
import statistics
import time
from datetime import timedelta

import pytest
import time_machine
from allauth.account.utils import perform_login
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.services.second_factor import new_authenticator_app, new_totp_secret
from outbox.models import OutboxMessage
from outbox.services.rendering import render_message
from tests.factories.accounts import PASSWORD, UserFactory
from tests.shown_forms import hidden_fields
from tests.totp import code_now, wrong_code

pytestmark = pytest.mark.django_db
LOGIN, SETTINGS = "/account/login/", "/account/settings/"


def log_in(client, login, password=PASSWORD, address="192.0.2.1", **fields):
    data = {"login": login, "password": password, "next": SETTINGS, **fields}
    return client.post(LOGIN, data, REMOTE_ADDR=address)


def signed_in(client):
    return client.get(SETTINGS).status_code == 200


def found(pattern, page):
    """Return what the pattern finds in the page."""
    match = re.search(pattern, page)
    assert match
    return match[1]


def plain(response):
    """Return the body without what differs by chance: CSRF values and what was typed."""
    body = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", response.content.decode())
    return re.sub(r'(name="login" value=)"[^"]*"', r"\1", body)


@pytest.mark.parametrize(
    "typed", ["person@example.org", " Person@EXAMPLE.org", "rain-maker", "Rain-Maker "]
)
def test_log_in_by_email_or_account_name_in_any_case(client, typed):
    UserFactory.create(email="person@example.org", account_name="rain-maker")
    response = log_in(client, typed)
    assert (response.status_code, response["Location"]) == (303, SETTINGS)
    assert signed_in(client)


def test_log_in_returns_to_the_page_that_required_it(client):
    user = UserFactory.create()
    response = client.get(SETTINGS)
    assert (response.status_code, response["Location"]) == (302, f"{LOGIN}?next={SETTINGS}")
    assert f'name="next" value="{SETTINGS}"' in client.get(response["Location"]).content.decode()
    assert log_in(client, user.email)["Location"] == SETTINGS


def test_wrong_unknown_unverified_and_deactivated_get_one_answer():
    UserFactory.create(email="known1@example.org")
    UserFactory.create(email="unsure@example.org", verified=False)
    UserFactory.create(email="absent@example.org", is_active=False)
    answers = [
        log_in(Client(), "known1@example.org", "a wrong password"),
        log_in(Client(), "nobody@example.org"),
        log_in(Client(), "nobody-by-the-name"),
        log_in(Client(), "unsure@example.org"),
        log_in(Client(), "absent@example.org"),
    ]
    assert [answer.status_code for answer in answers] == [400] * 5
    assert len({plain(answer) for answer in answers}) == 1
    assert "belong together" in plain(answers[0])
    assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1
    assert len({tuple(sorted(answer.cookies)) for answer in answers}) == 1


def test_failed_log_ins_take_the_same_time(settings):
    settings.PASSWORD_HASHERS = ["accounts.hashers.Argon2idHasher"]
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, (1000, 60))
    UserFactory.create(email="known@example.org")
    UserFactory.create(email="unproven@example.org", verified=False)
    UserFactory.create(email="gone@example.org", is_active=False)
    medians = []
    times: dict[str, list[float]] = {
        "known@example.org": [],
        "nobody@example.org": [],
        "unproven@example.org": [],
    }
    times["gone@example.org"] = []
    client = Client()
    for _ in range(15):
        for login, taken in times.items():
            begun = time.thread_time()  # a busy machine makes no difference
            log_in(client, login, "a wrong password")
            taken.append(time.thread_time() - begun)
    medians = [statistics.median(taken) for taken in times.values()]
    assert max(medians) - min(medians) < 0.010


def test_password_is_never_shown_again_and_the_login_is(client):
    response = log_in(client, "typed@example.org", "a typed password")
    assert b"a typed password" not in response.content
    assert b'value="typed@example.org"' in response.content
    assert response.content.decode().strip().startswith("<!DOCTYPE html>")
    assert "<title>Error:" in re.sub(r"\s+", " ", response.content.decode()).replace("> ", ">")


def test_sixth_failure_is_a_429_and_the_right_password_has_to_wait_too(client):
    user = UserFactory.create()
    statuses = [log_in(client, user.email, "wrong password").status_code for _ in range(7)]
    assert statuses == [400] * 5 + [429] * 2
    response = log_in(client, user.email)
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 300
    assert not signed_in(client)
    with time_machine.travel(timezone.now() + timedelta(seconds=301)):
        assert log_in(client, user.email).status_code == 303


def test_page_of_the_429_keeps_the_login_and_where_it_leads_and_no_password(client):
    typed = "Typed@Example.org"
    answers = [log_in(client, typed, "a typed password") for _ in range(6)]
    assert answers[-1].status_code == 429
    page = answers[-1].content.decode()
    assert found(r'name="login" value="([^"]*)"', page) == typed
    assert hidden_fields(answers[-1])["next"] == SETTINGS
    assert "a typed password" not in page


def test_right_password_from_another_network_address_always_works(client):
    user = UserFactory.create()
    for _ in range(30):
        log_in(client, user.email, "wrong password")
    assert log_in(client, user.email, address="198.51.100.7").status_code == 303


@pytest.mark.parametrize("by", ["email", "account_name"])
def test_spellings_of_a_login_count_together(client, by):
    login = getattr(UserFactory.create(), by)
    for typed in [login, login.upper(), f" {login}", login.title(), login]:
        assert log_in(client, typed, "wrong password").status_code == 400
    assert log_in(client, login.upper(), "wrong password").status_code == 429


def test_limit_is_the_same_for_an_unknown_account(client):
    statuses = [log_in(client, "nobody@example.org").status_code for _ in range(6)]
    assert statuses == [400] * 5 + [429]


def test_ten_failures_per_minute_from_one_network_address_over_all_accounts(client):
    statuses = [log_in(client, f"nobody{n}@example.org").status_code for n in range(11)]
    assert statuses == [400] * 10 + [429]
    assert log_in(client, "another@example.org", address="198.51.100.7").status_code == 400


def test_successful_log_ins_are_not_limited():
    user = UserFactory.create()
    assert {log_in(Client(), user.email).status_code for _ in range(12)} == {303}


def test_owner_is_warned_once_per_hour(client):
    user = UserFactory.create()
    for _ in range(30):
        log_in(client, user.email, "wrong password")
    message = OutboxMessage.objects.get()
    assert (message.kind, message.recipient) == ("accounts.failed_logins", user.email)
    assert user.account_name in render_message(message).text
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        for _ in range(6):
            log_in(client, user.email, "wrong password")
    assert OutboxMessage.objects.count() == 2


def test_owner_is_warned_when_many_network_addresses_try(client):
    user = UserFactory.create()
    for n in range(21):
        log_in(client, user.email, "wrong password", address=f"198.51.100.{n}")
    assert OutboxMessage.objects.get().kind == "accounts.failed_logins"
    assert log_in(client, user.email, address="203.0.113.9").status_code == 303


def test_failures_of_an_unknown_account_send_no_email(client):
    for _ in range(30):
        log_in(client, "nobody@example.org")
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "https://evil.example/",
        "http:///evil.example",
        "https://user:pass@evil.example/",
        "https://testserver@evil.example/",
        "https://testserver:8443/account/settings/",
        "http://testserver/account/settings/",
        "/\t/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/account/settings/\r\nSet-Cookie: a=b",
        "/account/settings/%0d%0aSet-Cookie:%20a=b",
        "/account/\x00settings/",
        "/%00",
        "/%2f%2fevil.example",
        "%2f%2fevil.example",
        "javascript:alert(1)",
        "data:text/html,evil",
        "/no/such/page/of/ours",
        "evil.example",
        "/\u2028/evil.example",
    ],
)
def test_next_redirects_to_our_pages_only(client, target, settings):
    settings.LOGIN_REDIRECT_URL = SETTINGS
    user = UserFactory.create()
    page = client.get(LOGIN, {"next": target})
    assert page.status_code == 200
    assert b'name="next"' not in page.content
    response = log_in(client, user.email, next=target)
    assert (response.status_code, response["Location"]) == (303, SETTINGS)
    out = client.post(reverse("account_logout"), {"next": target})
    assert (out.status_code, out["Location"]) == (303, LOGIN)


def test_log_in_starts_a_new_session_without_the_old_data(client):
    session = client.session
    session.update({"planted": "value", "account_authentication_methods": [{"method": "mfa"}]})
    session.save()
    client.cookies["session"] = old = session.session_key
    log_in(client, UserFactory.create().email)
    assert client.cookies["session"].value != old
    assert not Session.objects.filter(session_key=old).exists()
    assert "planted" not in client.session
    records = client.session["account_authentication_methods"]
    assert [record["method"] for record in records] == ["password"]


def test_log_out_ends_the_session_on_the_server(client):
    log_in(client, UserFactory.create().email)
    old = client.cookies["session"].value
    assert client.get(reverse("account_logout")).status_code == 200
    assert signed_in(client)
    assert client.post(reverse("account_logout")).status_code == 303
    thief = Client()
    thief.cookies["session"] = old
    assert not signed_in(thief)
    assert not Session.objects.exists()


def test_deactivation_ends_every_session(client):
    user = UserFactory.create()
    log_in(client, user.email)
    user.is_active = False
    user.save()
    response = client.get(SETTINGS)
    assert (response.status_code, response["Location"]) == (302, f"{LOGIN}?next={SETTINGS}")


def test_log_in_without_csrf_token_is_refused_with_a_page():
    user = UserFactory.create()
    client = Client(enforce_csrf_checks=True)
    assert log_in(client, user.email).status_code == 403
    page = client.get(LOGIN)
    token = found(r'csrfmiddlewaretoken" value="([^"]+)"', page.content.decode())
    data = {"login": user.email, "password": PASSWORD, "next": SETTINGS}
    for headers in [{"Origin": "null"}, {"Origin": "https://evil.example"}]:
        response = client.post(LOGIN, {**data, "csrfmiddlewaretoken": token}, headers=headers)
        assert response.status_code == 403
    assert client.post(LOGIN, {**data, "csrfmiddlewaretoken": "x" * 64}).status_code == 403
    secure = client.post(LOGIN, {**data, "csrfmiddlewaretoken": token}, secure=True)
    assert secure.status_code == 403
    assert not signed_in(client)
    assert client.post(LOGIN, {**data, "csrfmiddlewaretoken": token}).status_code == 303


def test_second_factor_cannot_be_bypassed(client):
    user = UserFactory.create()
    Authenticator.objects.create(
        user=user, type=Authenticator.Type.TOTP, data={"secret": "JBSWY3DPEHPK3PXP"}
    )
    response = log_in(client, user.email)
    assert (response.status_code, response["Location"]) == (303, reverse("mfa_authenticate"))
    assert not signed_in(client)
    assert client.get(reverse("mfa_authenticate")).status_code == 200
    wrong = client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert wrong.status_code == 400
    assert b"000000" not in wrong.content
    assert not signed_in(client)


@time_machine.travel(timezone.now(), tick=False)
def test_sixth_wrong_code_is_a_429_and_a_right_one_clears_the_count(client):
    user = UserFactory.create()
    secret = new_totp_secret()
    new_authenticator_app(user=user, secret=secret).save()
    log_in(client, user.email)
    page = reverse("mfa_authenticate")
    for _ in range(4):
        assert client.post(page, {"code": wrong_code(secret)}).status_code == 400
    assert client.post(page, {"code": code_now(secret)}).status_code == 303
    client.logout()
    log_in(client, user.email)
    answers = [client.post(page, {"code": wrong_code(secret)}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [400] * 5 + [429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 300
    assert not signed_in(client)


def test_user_deactivated_between_password_and_pages_is_stopped(rf):
    user = UserFactory.create(is_active=False)
    request = rf.post(LOGIN)
    request.session, request.user = Client().session, AnonymousUser()
    request.session["account_authentication_methods"] = [{"method": "password"}]
    response = perform_login(request, user)
    assert response["Location"] == LOGIN
    assert dict(request.session.items()) == {}


@time_machine.travel(timezone.now(), tick=False)
def test_second_factor_lets_in_with_a_new_session(client):
    user = UserFactory.create()
    secret = "JBSWY3DPEHPK3PXP"
    Authenticator.objects.create(user=user, type="totp", data={"secret": secret})
    log_in(client, user.email)
    before = client.cookies["session"].value
    response = client.post(reverse("mfa_authenticate"), {"code": code_now(secret)})
    assert (response.status_code, response["Location"]) == (303, SETTINGS)
    assert signed_in(client)
    assert client.cookies["session"].value != before


@pytest.mark.parametrize("name", ["signup", "email", "confirm-email", "login/code", "inactive"])
def test_allauths_other_pages_do_not_exist(client, name):
    assert client.get(f"/account/{name}/").status_code == 404


@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace"])
def test_other_methods_are_refused(client, method):
    assert getattr(client, method)(LOGIN).status_code == 405
