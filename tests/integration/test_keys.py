"""API keys: what is stored of them, how many there may be, and when each was used."""

import hashlib
from datetime import timedelta

import pytest
from django.contrib.auth import authenticate
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.enums import UserKind
from audit.models import AuditEvent
from integration.enums import KeyRefusal, Scope
from integration.models import ApiKey
from integration.services import keys
from integration.services.keys import create_key, find_key, revoke_key, write_last_uses
from tests.factories import PartnerFactory, PartnerMemberFactory
from tests.integration.calls import Caller, make_key
from web.refused import Refused

pytestmark = pytest.mark.django_db


def test_secret_is_stored_as_its_hash_only():
    api_key, secret = make_key(PartnerFactory())

    assert len(secret) == len("pak_") + 32
    assert api_key.secret_hash == hashlib.sha256(secret.encode()).hexdigest()
    assert api_key.ending == secret[-4:]
    columns = ApiKey.objects.filter(pk=api_key.pk).values().get()
    assert [value for value in columns.values() if secret in str(value)] == []
    assert secret not in str(AuditEvent.objects.get(action="api_key.created").after)


def test_key_acts_as_a_user_that_cannot_log_in():
    api_key, secret = make_key(PartnerFactory(), name="Übersicht / CRM")
    user = api_key.user

    assert (user.kind, user.is_active, user.has_usable_password()) == (
        UserKind.API_KEY,
        False,
        False,
    )
    assert user.account_name.startswith("api-key:ubersicht-crm-")
    assert user.email.endswith("@api-key.invalid")
    assert authenticate(username=user.account_name, password=secret) is None
    user.is_active = True
    with pytest.raises(IntegrityError), transaction.atomic():
        user.save()


@pytest.mark.parametrize("life", [timedelta(0), timedelta(days=-1), timedelta(days=367)])
def test_key_lives_for_a_year_at_most(life):
    member, now = PartnerMemberFactory(administrator=True), timezone.now()

    with pytest.raises(Refused) as refused:
        create_key(
            partner=member.partner,
            name="x",
            scopes=[Scope.EVENTS_READ],
            expires_at=now + life,
            by=member.user,
            now=now,
        )
    assert refused.value.code == KeyRefusal.LIFE_TOO_LONG
    assert not ApiKey.objects.exists()


def test_revoked_keys_make_room(monkeypatch):
    monkeypatch.setattr(keys, "MOST_LIVE_KEYS", 2)
    partner = PartnerFactory()
    first, _secret = make_key(partner)
    make_key(partner)
    make_key(PartnerFactory())

    with pytest.raises(Refused) as refused:
        make_key(partner)
    assert refused.value.code == KeyRefusal.TOO_MANY_KEYS
    revoke_key(api_key=first, by=first.created_by, now=timezone.now())
    make_key(partner)


def test_revoking_twice_is_one_audit_event():
    api_key, secret = make_key(PartnerFactory())
    now = timezone.now()
    for _ in range(2):
        revoke_key(api_key=api_key, by=api_key.created_by, now=now)

    assert AuditEvent.objects.filter(action="api_key.revoked").count() == 1
    assert find_key(secret, now=now) is None


def test_last_use_is_written_by_the_worker():
    caller = Caller(PartnerFactory())
    unused, _secret = make_key(caller.key.partner)
    keys._noted.clear()
    caller.get("/invitations")
    before = ApiKey.objects.get(pk=caller.key.pk).last_used_at
    written = write_last_uses(now=timezone.now())
    again = write_last_uses(now=timezone.now())

    used_at = ApiKey.objects.get(pk=caller.key.pk).last_used_at
    assert before is None
    assert timezone.now() - used_at < timedelta(minutes=1)
    assert ApiKey.objects.get(pk=unused.pk).last_used_at is None
    assert (written, again) == (1, 0)


def test_last_use_of_a_key_that_ended_since_is_written():
    caller = Caller(PartnerFactory())
    keys._noted.clear()
    caller.get("/invitations")
    now = timezone.now()
    revoke_key(api_key=caller.key, by=caller.key.created_by, now=now)

    assert write_last_uses(now=now) == 1
    assert ApiKey.objects.get(pk=caller.key.pk).last_used_at is not None


def test_last_use_is_not_set_back():
    api_key, _secret = make_key(PartnerFactory())
    later = timezone.now() + timedelta(hours=1)
    ApiKey.objects.filter(pk=api_key.pk).update(last_used_at=later)
    cache.set(f"api-key-used:{api_key.pk}", timezone.now().timestamp())

    assert write_last_uses(now=timezone.now()) == 0
    assert ApiKey.objects.get(pk=api_key.pk).last_used_at == later
