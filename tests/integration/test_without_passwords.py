"""PASSWORD_LOGIN=off: no page asks for a password, and none is accepted."""

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.services.administration import add_user, send_reset_link
from accounts.services.connected_logins import needs_password
from accounts.services.second_factor import (
    new_authenticator_app,
    new_totp_secret,
    reset_second_factor,
)
from association.models import Association
from outbox.models import OutboxMessage
from outbox.services.rendering import render_message
from tests.factories import PASSWORD, UserFactory
from tests.integration.issuer import begun_by_email, connected, log_in, signed_in_as
from tests.journeys.walk import ADDRESS
from web.refused import Refused

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _off(settings):
    settings.PASSWORD_LOGIN = False


def texts(client, *addresses):
    return [client.get(address).content.decode() for address in addresses]


def test_whole_journey_shows_no_password(issuer):
    walk = begun_by_email()
    pages = texts(walk.client, walk.url("account"), walk.url("register"), "/account/login/")
    assert ["Register with Cloud ID" in page for page in pages] == [False, True, False]
    assert "Continue with Cloud ID" in pages[2]
    issuer.claims["registered_at"] = timezone.now().isoformat()
    log_in(walk.client, issuer, next_url=walk.url(), purpose="register")
    pages += texts(walk.client, walk.url("enable"), "/account/settings/", "/account/2fa/")
    assert walk.enable()["Location"] == walk.url("done")
    pages += texts(walk.client, walk.url("done"), "/account/logout/")
    assert ["password" in page.lower() for page in pages] == [False] * len(pages)
    assert Association.objects.get().account.owner.email == ADDRESS


def test_password_is_no_log_in(issuer):
    user, client = UserFactory.create(), Client()
    login = {"login": user.account_name, "password": PASSWORD}
    assert client.post("/account/login/", login).status_code == 404
    assert signed_in_as(client) is None


@pytest.mark.parametrize(
    "path",
    [
        "password/reset/",
        "password/reset/confirm/",
        "password/change/",
        "reauthenticate/",
        "login/mailbox/",
        "login/mailbox/code",
        "login/mailbox/new-code",
    ],
)
def test_pages_about_passwords_do_not_exist(issuer, path):
    client = Client()
    client.force_login(UserFactory.create())
    address = f"/account/{path}"
    assert {client.get(address).status_code, client.post(address).status_code} == {404}


@pytest.mark.parametrize("path", ["register/code", "register/address", "register/account"])
def test_no_registration_takes_a_password(issuer, path):
    walk = begun_by_email()
    assert walk.post(path, email=ADDRESS, country="DE").status_code == 404


def test_address_of_an_account_is_told_whom_to_ask(issuer):
    UserFactory.create(email=ADDRESS)
    response = log_in(Client(), issuer)
    page = response.content.decode()
    assert response.status_code == 409
    assert "It belongs to another log-in" in page
    assert "Log in the way you did" not in page


def test_no_email_asks_for_a_password(issuer):
    user = UserFactory.create()
    with pytest.raises(Refused, match="passwords_off"):
        send_reset_link(user=user, by=None, now=timezone.now())
    added = User(email="added@example.org")
    add_user(user=added, email_original=added.email, by=None, now=timezone.now())
    reset_second_factor_of(user)
    (message,) = OutboxMessage.objects.all()
    email = render_message(message)
    assert "password" not in f"{email.subject} {email.text} {email.html}".lower()
    assert "/account/settings/" in email.text


def reset_second_factor_of(user):
    new_authenticator_app(user=user, secret=new_totp_secret()).save()
    reset_second_factor(user=user, by=user, now=timezone.now())


@pytest.mark.parametrize(
    ("is_connected", "is_on", "asked"),
    [(False, True, True), (True, True, False), (False, False, False)],
)
def test_invited_member_is_asked_for_a_password_only_without_another_way(
    issuer, settings, is_connected, is_on, asked
):
    settings.PASSWORD_LOGIN = is_on
    user = UserFactory.create(password="!none")
    if is_connected:
        connected(issuer, user)
    assert needs_password(user) is asked
