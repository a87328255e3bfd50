"""Outside the demo an administrator of a partner needs a second factor for every console page."""

import pytest
from django.test import Client, override_settings

from accounts.services.second_factor import new_authenticator_app, new_totp_secret
from tests.factories import PartnerMemberFactory, UserFactory

pytestmark = pytest.mark.django_db
PAGES = [f"/partner/{page}" for page in ("", "invitations/", "requests/", "history/", "members/")]


def client_of(user):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    return client


def visit(client):
    return {(answer.status_code, answer.get("Location")) for answer in map(client.get, PAGES)}


@override_settings(DEMO=False)
def test_administrator_without_second_factor_is_led_to_set_one_up():
    boss = PartnerMemberFactory.create(administrator=True)
    client = client_of(boss.user)
    assert visit(client) == {(302, "/account/2fa/")}
    posted = client.post("/partner/members/invite", {"address": "a@example.org", "role": "manager"})
    assert (posted.status_code, posted["Location"]) == (302, "/account/2fa/")
    assert not boss.partner.member_invitations.exists()
    assert client.get("/account/2fa/").status_code == 200


@override_settings(DEMO=False)
def test_administrator_with_second_factor_comes_in():
    boss = PartnerMemberFactory.create(administrator=True)
    new_authenticator_app(user=boss.user, secret=new_totp_secret()).save()
    assert visit(client_of(boss.user)) == {(200, None)}


@override_settings(DEMO=False)
def test_manager_comes_in_without():
    client = client_of(PartnerMemberFactory.create().user)
    assert client.get("/partner/").status_code == 200
    assert client.get("/partner/members/").status_code == 404


@override_settings(DEMO=False)
def test_user_without_membership_gets_404():
    assert visit(client_of(UserFactory.create())) == {(404, None)}


def test_demo_requires_no_second_factor():
    boss = PartnerMemberFactory.create(administrator=True)
    assert visit(client_of(boss.user)) == {(200, None)}
