"""Log-ins at issuers in the account settings, and logging out."""

import pytest
from django.test import Client

from accounts.models import ConnectedLogin
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from tests.factories import ConnectedLoginFactory, UserFactory
from tests.integration.issuer import connected, log_in, logged_in_just_now

pytestmark = pytest.mark.django_db
SETTINGS = "/account/settings/"


@pytest.fixture
def user():
    return UserFactory.create()


@pytest.fixture
def client(user):
    client = Client()
    client.force_login(user)
    logged_in_just_now(client)
    return client


def disconnect(client, login):
    return client.post(f"/account/connected-logins/{login.pk}/disconnect")


def traces():
    events = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
    return list(events), list(OutboxMessage.objects.values_list("kind", "data__is_on"))


def test_log_in_is_connected_and_told(issuer, client, user):
    assert "Connect Cloud ID" in client.get(SETTINGS).content.decode()
    response = log_in(client, issuer, purpose="connect")
    assert (response.status_code, response["Location"]) == (302, SETTINGS)
    assert ConnectedLogin.objects.get().user == user
    assert traces() == (
        ["user.login_connected"],
        [("accounts.connected_login_changed", True)],
    )
    page = client.get(SETTINGS).content.decode()
    assert "From now on you can log in with Cloud ID." in page
    assert "Disconnect Cloud ID" in page
    assert "Connect Cloud ID" not in page
    assert issuer.url in client.get(SETTINGS)["Content-Security-Policy"]


def test_connecting_again_writes_nothing(issuer, client, user):
    connected(issuer, user)
    assert log_in(client, issuer, purpose="connect").status_code == 302
    assert traces() == ([], [])


def test_old_log_in_connects_nothing(issuer, client):
    """A browser that was left logged in does not let others add a log-in of their own."""
    session = client.session
    session["signed_in_at"] -= 600
    session.save()
    requests = list(issuer.requests)
    response = client.post("/account/issuers/cloud/start", {"purpose": "connect"})
    assert response.status_code == 409
    page = response.content.decode()
    assert "Log out and log in again first: you have ten minutes then." in page
    assert "You came from" not in page
    assert issuer.requests == requests
    assert "issuer_flows" not in client.session


def test_stranger_connects_nothing(issuer):
    response = Client().post("/account/issuers/cloud/start", {"purpose": "connect"})
    assert (response.status_code, response["Location"]) == (303, "/account/login/")


def test_log_in_is_disconnected_and_told(issuer, client, user):
    login = ConnectedLoginFactory.create(user=user, issuer=issuer.url)
    assert disconnect(client, login)["Location"] == SETTINGS
    assert not ConnectedLogin.objects.exists()
    assert traces() == (
        ["user.login_disconnected"],
        [("accounts.connected_login_changed", False)],
    )
    assert disconnect(client, login).status_code == 303
    assert len(traces()[0]) == 1


def test_last_way_in_stays_connected(issuer, client, user):
    user.set_unusable_password()
    user.save()
    client.force_login(user)
    login = ConnectedLoginFactory.create(user=user, issuer=issuer.url)
    # An issuer that is configured no more is no way in.
    ConnectedLoginFactory.create(user=user, issuer="https://gone.example")
    response = disconnect(client, login)
    assert response.status_code == 409
    assert "This is your only way to log in" in response.content.decode()
    assert ConnectedLogin.objects.filter(pk=login.pk).exists()
    assert traces() == ([], [])


def test_password_is_no_way_in_where_passwords_are_off(issuer, client, user, settings):
    settings.PASSWORD_LOGIN = False
    login = ConnectedLoginFactory.create(user=user, issuer=issuer.url)
    assert disconnect(client, login).status_code == 409


def test_log_in_of_somebody_else_is_not_disconnected(issuer, client):
    login = ConnectedLoginFactory.create(issuer=issuer.url)
    assert disconnect(client, login).status_code == 303
    assert ConnectedLogin.objects.filter(pk=login.pk).exists()


def test_logging_out_says_that_the_issuer_goes_on(issuer, user):
    connected(issuer, user)
    client = Client()
    log_in(client, issuer)
    assert "You stay logged in at Cloud ID" in client.get("/account/logout/").content.decode()
    page = client.post("/account/logout/", follow=True).content.decode()
    assert "You are still logged in at Cloud ID." in page


def test_logging_out_says_nothing_about_issuers_after_a_password(issuer, client):
    assert "Cloud ID" not in client.get("/account/logout/").content.decode()


def test_page_without_issuers_has_no_section_for_them(client):
    assert "Log-ins at other systems" not in client.get(SETTINGS).content.decode()
