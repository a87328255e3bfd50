"""The command that connects a log-in at an issuer, for the operator."""

import json
from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command

from accounts.issuers import read_issuers
from accounts.models import ConnectedLogin
from accounts.services.log_in import may_log_in
from audit.models import AuditEvent
from tests.factories import ConnectedLoginFactory, UserFactory

pytestmark = pytest.mark.django_db
URL = "https://id.provider.example"


@pytest.fixture(autouse=True)
def _issuer(settings):
    row = {"id": "cloud", "name": "Cloud ID", "issuer": URL, "client_id": "a"}
    settings.OIDC_PROVIDERS = read_issuers(json.dumps([row]), allow_http=False)


def connect(*arguments):
    output = StringIO()
    call_command("connect_login", *arguments, stdout=output)
    return output.getvalue()


def test_administrator_without_a_password_gets_a_way_in():
    user = UserFactory.create(staff=True, password="!none", verified=False)
    assert connect(user.email, "cloud", "subject-1") == (
        f"{user.account_name} logs in with Cloud ID from now on.\n"
    )
    login = ConnectedLogin.objects.get()
    assert (login.user, login.issuer, login.subject) == (user, URL, "subject-1")
    assert EmailAddress.objects.get().verified
    assert may_log_in(user)
    event = AuditEvent.objects.get()
    assert (event.action, event.actor) == ("user.login_connected", None)
    connect(user.account_name, "cloud", "subject-1")
    assert AuditEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("nobody-here", "cloud", "a"), "No user has the account name or address nobody-here."),
        (("c-known", "other", "a"), "OIDC_PROVIDERS has no issuer with the id other."),
        (("c-known", "cloud", "taken"), "This log-in is connected with another account already."),
        (("c-inactive", "cloud", "a"), "This user is not active."),
    ],
)
def test_mistakes_are_told_and_change_nothing(arguments, error):
    UserFactory.create(account_name="c-known")
    UserFactory.create(account_name="c-inactive", is_active=False)
    ConnectedLoginFactory.create(issuer=URL, subject="taken")
    with pytest.raises(CommandError, match=error):
        connect(*arguments)
    assert ConnectedLogin.objects.count() == 1
