"""The pages under /account/: GET writes nothing; settings and the account name."""

from datetime import timedelta

import pytest
import time_machine
from django.apps import apps
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.urls import urlpatterns
from audit.models import AuditEvent
from tests.factories.accounts import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
PAGES = [pattern.name for pattern in urlpatterns if pattern.name.startswith(("account_", "mfa_"))]
PUBLIC = {
    "account_login",
    "account_logout",
    "account_prove_mailbox",
    "account_send_log_in_code",
    "account_send_new_log_in_code",
    "account_reset_password",
    "account_confirm_password_reset_code",
    "mfa_authenticate",
}


def everything():
    """Return every row of every table."""
    return {
        model: sorted(map(repr, model._base_manager.values_list())) for model in apps.get_models()
    }


def visitors():
    """Return four clients: logged out, within a reset, within a log-in, and logged in."""
    stranger, resetting, pending, member = Client(), Client(), Client(), Client()
    resetting.post(reverse("account_reset_password"), {"email": "forgot@example.org"})
    user = UserFactory.create()
    user.authenticator_set.create(type="totp", data={"secret": "JBSWY3DPEHPK3PXP"})
    pending.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    member.force_login(UserFactory.create())
    return [stranger, resetting, pending, member]


def address(name):
    parameters = {"login_id": 0} if name == "account_disconnect_login" else {}
    return reverse(name, kwargs=parameters)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("minutes", [0, 60])
def test_get_writes_nothing(name, minutes):
    people = visitors()
    before = everything()
    with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
        for client in people:
            for look in (client.get, client.head, client.options):
                assert look(address(name)).status_code < 500
    assert everything() == before


@pytest.mark.parametrize("name", PAGES)
def test_only_the_listed_pages_are_public(client, name):
    response = client.get(address(name))
    sent_to_login = response.status_code == 302 and "?next=" in response["Location"]
    assert sent_to_login is (name not in PUBLIC)


def test_settings_change_the_account_name_once(client):
    user = UserFactory.create()
    client.force_login(user)
    page = client.get(reverse("account_settings")).content.decode()
    assert user.account_name in page
    response = client.post(reverse("account_settings"), {"account_name": "Rain-Maker"})
    assert (response.status_code, response["Location"]) == (303, reverse("account_settings"))
    user.refresh_from_db()
    assert user.account_name == "rain-maker"
    assert [event.action for event in AuditEvent.objects.all()] == ["user.renamed"]
    assert (
        '<form method="post" action="/account/settings/"'
        not in client.get(reverse("account_settings")).content.decode()
    )
    again = client.post(reverse("account_settings"), {"account_name": "another-name"})
    assert again.status_code == 400


def test_two_clicks_change_the_account_name_once(client):
    user = UserFactory.create()
    client.force_login(user)
    for typed in ("rain-maker", "Rain-Maker"):
        response = client.post(reverse("account_settings"), {"account_name": typed})
        assert (response.status_code, response["Location"]) == (303, reverse("account_settings"))
    assert [event.action for event in AuditEvent.objects.all()] == ["user.renamed"]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("a b", "Use 4 to 40 letters"),
        ("taken-name", "This account name is not available."),
    ],
)
def test_settings_keep_what_was_typed_when_it_is_refused(client, typed, sentence):
    UserFactory.create(account_name="taken-name")
    client.force_login(UserFactory.create())
    response = client.post(reverse("account_settings"), {"account_name": typed})
    assert response.status_code == 400
    assert f'value="{typed}"' in response.content.decode()
    assert sentence in response.content.decode()


def test_eleventh_change_of_the_account_name_has_to_wait(client):
    client.force_login(UserFactory.create())
    answers = [client.post(reverse("account_settings"), {"account_name": "x"}) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [400] * 10 + [429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 3600


def test_confirming_asks_for_the_password(client):
    user = UserFactory.create()
    client.force_login(user)
    wrong = client.post(reverse("account_reauthenticate"), {"password": "wrong password"})
    assert wrong.status_code == 400
    target = reverse("account_settings")
    right = client.post(reverse("account_reauthenticate"), {"password": PASSWORD, "next": target})
    assert (right.status_code, right["Location"]) == (303, target)
