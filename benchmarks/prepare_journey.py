"""Fills a database with people who are one step before the end, and prints how to be them, as JSON.

    python benchmarks/prepare_journey.py COUNT

Runs in the root of a checkout, the one under test or an older one, and uses nothing but models, so
that both can be measured beside each other.
"""

import json
import os
import sys
from importlib import import_module
from typing import Any

sys.path.insert(0, os.getcwd())  # noqa: PTH109 - the checkout that is measured, not this file's

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import Bill, CustomerAccount, User  # noqa: E402
from association.models import Attempt, LegalDocument  # noqa: E402
from partners.models import Invitation, Partner  # noqa: E402
from partners.tokens import new_token  # noqa: E402

NOW = timezone.now()
PASSWORD = "a long password for the benchmark"  # noqa: S105 - made up
SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105 - made up


def main(count: int) -> None:
    """Make the people and print them: by the step that is theirs, and who can log in."""
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    invitation = make_invitation()
    people = {
        "token": invitation.token,
        "confirm": make_people(invitation, count, enabled=True),
        "enable": make_people(invitation, 20, enabled=False),
        "check": make_people(invitation, 20, enabled=True, refused=True),
        "account": make_attempts(invitation, 20),
        "logins": make_logins(16),
        "password": PASSWORD,
    }
    sys.stdout.write(json.dumps(people))


def make_invitation() -> Invitation:
    """Return a reseller's link that is never used up."""
    partner = Partner.objects.create(
        name="Bench & Sons",
        slug=f"bench-{new_token()[:12]}",
        legal_name="Bench & Sons Ltd.",
        country="IE",
        support_email="support@bench.example",
    )
    return Invitation.objects.create(
        partner=partner,
        channel="link",
        association_type="reseller",
        label="Bench",
        token=new_token(),
        created_at=NOW,
    )


def make_people(
    invitation: Invitation, count: int, *, enabled: bool, refused: bool = False
) -> list[dict[str, str]]:
    """Return signed-in customers whose attempts lack only the last step."""
    people = []
    for _ in range(count):
        user = make_user()
        account = CustomerAccount.objects.create(
            owner=user,
            country="IE",
            registered_at=NOW,
            services_enabled_at=NOW if enabled else None,
        )
        if refused:
            Bill.objects.create(
                account=account, amount=10, paid_amount=0, issued_at=NOW, source="bench",
                external_id=user.account_name, due_at=NOW,
            )  # fmt: skip
        attempt = make_attempt(invitation, account=account, entered_at=NOW, registered_at=NOW)
        people.append({"attempt": str(attempt.pk), "session": make_session(user)})
    return people


def make_user() -> User:
    """Return a user who cannot log in."""
    name = new_token()
    user = User(account_name=name, email=f"{name}@bench.example")
    user.set_unusable_password()
    user.save()
    return user


def make_attempts(invitation: Invitation, count: int) -> list[dict[str, str]]:
    """Return attempts that have no account yet."""
    made = [make_attempt(invitation) for _ in range(count)]
    return [{"attempt": str(attempt.pk), "browser": SECRET} for attempt in made]


def make_attempt(invitation: Invitation, **fields: Any) -> Attempt:
    """Return an attempt that has agreed to the instructions."""
    # Each checkout has its own function for this hash.
    hash_of = import_module("association.services.attempts").hash_of
    # The earlier one does not repeat what the invitation says.
    columns = {field.name for field in Attempt._meta.fields} & {"channel", "association_type"}
    fields |= {name: getattr(invitation, name) for name in columns}
    return Attempt.objects.create(
        invitation=invitation,
        partner=invitation.partner,
        browser_hash=hash_of(SECRET),
        language="en",
        started_at=NOW,
        instructions=LegalDocument.objects.get(kind="instructions", language="en"),
        instructions_agreed_at=NOW,
        **fields,
    )


def make_session(user: User) -> str:
    """Return the key of a session in which the user is signed in."""
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session["_auth_user_id"] = str(user.pk)
    session["_auth_user_backend"] = settings.AUTHENTICATION_BACKENDS[0]
    session["_auth_user_hash"] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def make_logins(count: int) -> list[str]:
    """Return the addresses of customers who can log in with `PASSWORD`."""
    addresses = []
    for _ in range(count):
        user = make_user()
        user.set_password(PASSWORD)
        user.save()
        user.emailaddress_set.create(email=user.email, verified=True, primary=True)
        CustomerAccount.objects.create(
            owner=user, country="IE", registered_at=NOW, services_enabled_at=NOW
        )
        addresses.append(user.email)
    return addresses


main(int(sys.argv[1]))
