"""The change to IDNA 2008 keeps the mailbox that each user has proven."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import User
from association.services.invariants.checking import find_violations
from outbox.models import OutboxMessage
from outbox.services.rendering import build_email, render_message
from tests.accounts.test_login import log_in
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db

migration = import_module("accounts.migrations.0005_addresses_by_idna_2008")


@pytest.mark.parametrize(
    ("stored", "typed", "kept"),
    [
        ("info@strasse.de", "Info@straße.de", "info@strasse.de"),
        ("info@xn--bcher-kva.de", "Info@Bücher.de", "Info@Bücher.de"),
        ("ada@example.org", "Ada@Example.org", "Ada@Example.org"),
        ("a@xn--n3h.net", "a@☃.net", "a@xn--n3h.net"),
    ],
)
def test_migration_replaces_only_what_names_another_mailbox(stored, typed, kept):
    user = UserFactory.create()
    User.objects.filter(pk=user.pk).update(email=stored, email_original=typed)
    assert ("I9" in {v.invariant for v in find_violations()}) == (kept != typed)
    migration.keep_what_was_proven(apps, SimpleNamespace(connection=connection))
    user.refresh_from_db()
    assert (user.email, user.email_original) == (stored, kept)
    assert "I9" not in {v.invariant for v in find_violations()}


def test_user_of_a_domain_that_only_idna_2003_spells_goes_on_in_ascii(client):
    user = UserFactory.create(email="a@xn--n3h.net", email_original="a@☃.net")
    migration.keep_what_was_proven(apps, SimpleNamespace(connection=connection))
    assert log_in(client, "A@xn--n3h.net").status_code == 303
    asked = Client().post(reverse("account_reset_password"), {"email": user.email})
    assert asked.status_code == 303
    message = OutboxMessage.objects.get(kind="accounts.password_reset_code")
    assert message.recipient == user.email
    assert build_email(message, render_message(message)).to == [user.email]
