"""A user whom others made for an address does not keep its owner from registering."""

from datetime import UTC, datetime

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password

from accounts.enums import CodePurpose
from accounts.models import User
from accounts.services.administration import save_new_user
from accounts.services.codes import check_code, derive_code, send_code
from accounts.services.registration import register_account
from association.services.invariants.trail import trail_equals_state
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from tests.factories import PASSWORD
from web.refused import Refused

pytestmark = pytest.mark.django_db
NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
TYPED, ADDRESS = "Ann@Example.org", "ann@example.org"


@pytest.fixture
def made():
    user = User(email=ADDRESS)
    save_new_user(user=user, email_original=ADDRESS, by=None, now=NOW)
    return user


def register():
    where = {"email": ADDRESS, "purpose": CodePurpose.REGISTER, "flow": "flow"}
    row = send_code(**where, language="en", now=NOW).row
    proof = check_code(**where, code=derive_code(row, None), now=NOW)
    return register_account(
        proof=proof,
        address=TYPED,
        password=PASSWORD,
        password_hash=make_password(PASSWORD),
        country="FR",
        language="en",
        now=NOW,
    )


def test_owner_of_the_address_takes_the_user_over(made):
    user = register()
    assert (user.pk, user.account_name, user.email_original) == (made.pk, made.account_name, TYPED)
    assert user.check_password(PASSWORD)
    assert user.customer_account.registered_at == NOW
    proven = EmailAddress.objects.get()
    assert (proven.user, proven.verified, proven.primary) == (user, True, True)
    kinds = OutboxMessage.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["accounts.verification_code", "accounts.registered"]
    actions = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["user.added", "user.claimed", "account.registered"]
    assert list(trail_equals_state()) == []


@pytest.mark.parametrize(
    "state",
    [
        {"password": "argon2$something"},
        {"is_active": False},
        {"is_staff": True},
        {"last_login": NOW},
    ],
    ids=lambda state: next(iter(state)),
)
def test_user_in_use_or_with_permissions_is_not_taken_over(made, state):
    User.objects.update(**state)
    with pytest.raises(Refused):
        register()
    assert OutboxMessage.objects.get().kind == "accounts.already_registered"


def test_proven_user_is_not_taken_over(made):
    EmailAddress.objects.create(user=made, email=ADDRESS, verified=True, primary=True)
    with pytest.raises(Refused):
        register()
