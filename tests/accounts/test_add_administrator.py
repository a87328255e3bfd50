"""The command that makes the first administrator."""

from io import StringIO
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command

from accounts.models import User
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from tests.factories import UserFactory
from tests.totp import code_now

pytestmark = pytest.mark.django_db


def test_administrator_gets_a_second_factor_and_an_email_to_set_the_password():
    printed = StringIO()
    call_command("add_administrator", "Boss@Example.org", stdout=printed)
    user = User.objects.get(email="boss@example.org")
    assert (user.is_staff, user.is_superuser, user.has_usable_password()) == (True, True, False)
    assert OutboxMessage.objects.get().kind == "accounts.reset_link"
    assert set(AuditEvent.objects.values_list("action", flat=True)) == {
        "user.added",
        "user.reset_link_sent",
        "user.second_factor_added",
    }
    uri = next(line for line in printed.getvalue().splitlines() if line.startswith("otpauth://"))
    secret = parse_qs(urlsplit(uri).query)["secret"][0]
    assert Authenticator.objects.get(user=user).data["secret"] == secret
    assert Authenticator.objects.get(user=user).wrap().validate_code(code_now(secret))


def test_code_is_printed_as_a_picture():
    printed = StringIO()
    call_command("add_administrator", "boss@example.org", stdout=printed)
    lines = printed.getvalue().splitlines()
    picture = lines[lines.index(next(line for line in lines if line.startswith("otpauth"))) + 1 :]
    rows = [row for row in picture if row]
    # Two rows of squares in each line.
    assert {len(row) for row in rows} == {len(rows[0])}
    assert len(rows) == (len(rows[0]) + 1) // 2


@pytest.mark.parametrize(
    ("address", "sentence"),
    [("nobody", "is not an e-mail address"), ("taken@example.org", "already")],
)
def test_unusable_address_creates_no_user(address, sentence):
    UserFactory.create(email="taken@example.org")
    with pytest.raises(CommandError, match=sentence):
        call_command("add_administrator", address, stdout=StringIO())
    assert User.objects.count() == 1
