"""The change to IDNA 2008 keeps the mailbox that each user has proven."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from accounts.models import User
from association.services.invariants.checking import find_violations
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db

migration = import_module("accounts.migrations.0005_addresses_by_idna_2008")


@pytest.mark.parametrize(
    ("stored", "typed", "kept"),
    [
        ("info@strasse.de", "Info@straße.de", "info@strasse.de"),
        ("info@xn--bcher-kva.de", "Info@Bücher.de", "Info@Bücher.de"),
        ("ada@example.org", "Ada@Example.org", "Ada@Example.org"),
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
