"""Second steps beside a log-in at an issuer: the issuer's, or ours."""

import pytest
from django.test import Client

from accounts.services.second_factor import (
    has_second_factor,
    new_authenticator_app,
    new_totp_secret,
)
from tests.factories import PartnerMemberFactory, UserFactory
from tests.integration.issuer import connected, go, log_in, signed_in_as
from tests.totp import code_now

pytestmark = pytest.mark.django_db
PAGE = "/account/2fa/"


@pytest.fixture
def boss(issuer, settings):
    settings.DEMO = False
    user = UserFactory.create(password="!none")
    PartnerMemberFactory.create(user=user, administrator=True)
    return connected(issuer, user)


def console(client):
    return client.get("/partner/members/").status_code


def test_administrator_needs_a_second_step(issuer, boss):
    client = Client(SERVER_NAME="127.0.0.1")
    log_in(client, issuer)
    assert client.get("/partner/members/")["Location"] == PAGE


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"amr": ["pwd", "otp"]}, 200),
        ({"acr": "gold"}, 200),
        ({"amr": ["pwd"]}, 302),
        ({"amr": "otp"}, 302),
        ({"acr": "silver"}, 302),
    ],
)
def test_second_step_of_the_issuer_counts(issuer, boss, settings, claims, status):
    settings.OIDC_PROVIDERS = issuer.configured(acr=["gold"])
    issuer.claims |= claims
    client = Client(SERVER_NAME="127.0.0.1")
    log_in(client, issuer)
    assert console(client) == status


def test_administrator_of_the_provider_comes_in_with_it(issuer, settings):
    settings.DEMO = False
    connected(issuer, UserFactory.create(staff=True))
    client = Client(SERVER_NAME="127.0.0.1")
    log_in(client, issuer)
    assert client.get("/admin/").status_code == 302
    issuer.claims["amr"] = ["otp"]
    log_in(client, issuer)
    assert client.get("/admin/").status_code == 200


def test_our_second_step_is_asked_for_where_the_issuer_had_none(issuer, boss):
    new_authenticator_app(user=boss, secret=new_totp_secret()).save()
    client = Client(SERVER_NAME="127.0.0.1")
    response = log_in(client, issuer, next_url="/partner/members/")
    assert response["Location"] == "/account/2fa/authenticate/"
    assert signed_in_as(client) is None


def test_our_second_step_is_not_asked_for_after_the_issuers(issuer, boss):
    new_authenticator_app(user=boss, secret=new_totp_secret()).save()
    issuer.claims["amr"] = ["otp"]
    client = Client(SERVER_NAME="127.0.0.1")
    assert log_in(client, issuer, next_url="/partner/")["Location"] == "/partner/"
    assert console(client) == 200


def test_second_step_of_one_user_counts_for_no_other(issuer, boss):
    """What an issuer confirmed is kept for its user, also in a session that goes on."""
    issuer.claims["amr"] = ["otp"]
    client = Client(SERVER_NAME="127.0.0.1")
    log_in(client, issuer)
    noted = client.session["issuer_login"]
    other = PartnerMemberFactory.create(administrator=True)
    client.force_login(other.user)
    session = client.session
    session["issuer_login"] = noted
    session.save()
    assert console(client) == 302


def test_user_without_a_password_sets_one_up_just_after_the_log_in(issuer, boss):
    client = Client(SERVER_NAME="127.0.0.1")
    log_in(client, issuer)
    client.post(PAGE, {"action": "begin"})
    page = client.get(PAGE).content.decode()
    assert 'name="password"' not in page
    secret = client.session["second_factor_secret"]
    response = client.post(PAGE, {"action": "set_up", "code": code_now(secret)})
    assert response.status_code == 200
    assert has_second_factor(boss)
    assert console(client) == 200


def test_old_log_in_sets_up_no_second_step(issuer, boss):
    client = Client(SERVER_NAME="127.0.0.1")
    log_in(client, issuer)
    client.post(PAGE, {"action": "begin"})
    session = client.session
    session["signed_in_at"] -= 600
    session.save()
    secret = session["second_factor_secret"]
    response = client.post(PAGE, {"action": "set_up", "code": code_now(secret)})
    assert response.status_code == 400
    assert "Log out and log in again first" in response.content.decode()
    assert not has_second_factor(boss)


def test_page_offers_the_second_step_of_the_issuer(issuer, boss, settings):
    settings.OIDC_PROVIDERS = issuer.configured(acr=["gold"])
    client = Client(SERVER_NAME="127.0.0.1")
    log_in(client, issuer)
    assert 'name="purpose" value="second_factor"' in client.get(PAGE).content.decode()
    assert "acr_values=gold" in go(client, issuer, purpose="second_factor")
    assert "acr_values" not in go(client, issuer)
