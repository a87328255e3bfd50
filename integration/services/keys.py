"""API keys of partners and of the provider: making, finding and revoking them, and last uses."""

import hashlib
import re
import secrets
import time
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from django.core.cache import cache
from django.db import transaction
from django.db.models import QuerySet

from accounts.enums import UserKind
from accounts.models import User
from accounts.services.key_users import create_key_user
from audit.services import given_reason, record_audit_event
from integration.enums import KeyRefusal, ProviderScope, Scope
from integration.models import ApiKey
from partners.models import Partner
from web.fixed_queries import MOMENT, TEXT, repeated_query
from web.locks import lock_name
from web.random_ids import CROCKFORD
from web.refused import Refused
from web.transactions import whole_transaction

# Programs that look for leaked secrets recognize keys by their beginning.
PREFIX = "pak_"
_LETTERS = 32  # 160 bits
LONGEST_LIFE = timedelta(days=366)
MOST_LIVE_KEYS = 20
_KEY = re.compile(rf"{PREFIX}[{CROCKFORD}]{{{_LETTERS}}}")
_SECONDS_BETWEEN_NOTES = 60
_NOTED_FOR = timedelta(days=1)
_noted: dict[int, float] = {}


@whole_transaction
def create_key(
    *,
    partner: Partner,
    name: str,
    scopes: Collection[Scope],
    expires_at: datetime,
    by: User,
    now: datetime,
) -> tuple[ApiKey, str]:
    """Make a partner's key with its user; return it with its secret, which is stored nowhere.

    Locks the partner. Raises Refused: TOO_MANY_KEYS, LIFE_TOO_LONG (more than a year, or none).
    """
    with transaction.atomic():
        locked = Partner.objects.select_for_update(no_key=True).get(pk=partner.pk)
        user = create_key_user(name=name, kind=UserKind.API_KEY)
        return _write_key(locked, user, name, sorted(scopes), expires_at, by, now)


@whole_transaction
def create_provider_key(
    *, name: str, scopes: Collection[ProviderScope], expires_at: datetime, by: User, now: datetime
) -> tuple[ApiKey, str]:
    """Make a key of the provider as `create_key()` makes one of a partner."""
    with transaction.atomic():
        lock_name("keys-of-the-provider")
        user = create_key_user(name=name, kind=UserKind.PROVIDER_PROGRAM)
        return _write_key(None, user, name, sorted(scopes), expires_at, by, now)


def _write_key(
    partner: Partner | None,
    user: User,
    name: str,
    scopes: list[str],
    expires_at: datetime,
    by: User,
    now: datetime,
) -> tuple[ApiKey, str]:
    """Write the key of the side, which is locked. What is refused is undone with its user."""
    if not now < expires_at <= now + LONGEST_LIFE:
        raise Refused(KeyRefusal.LIFE_TOO_LONG)
    if ApiKey.objects.live(now).with_secret().filter(partner=partner).count() >= MOST_LIVE_KEYS:
        raise Refused(KeyRefusal.TOO_MANY_KEYS)
    secret = PREFIX + "".join(secrets.choice(CROCKFORD) for _ in range(_LETTERS))
    api_key = ApiKey.objects.create(
        partner=partner,
        user=user,
        name=name,
        scopes=scopes,
        secret_hash=hash_of(secret),
        ending=secret[-4:],
        created_at=now,
        created_by=by,
        expires_at=expires_at,
    )
    record_audit_event(
        action="api_key.created",
        about=api_key,
        by=by,
        now=now,
        after={
            "partner": partner and partner.pk,
            "user": user.pk,
            "name": name,
            "scopes": api_key.scopes,
            "expires_at": expires_at,
            "revoked_at": None,
        },
    )
    return api_key, secret


@whole_transaction
def revoke_key(*, api_key: ApiKey, by: User, now: datetime, reason: str = "") -> ApiKey:
    """Revoke the key from the next call on; a second time does nothing."""
    with transaction.atomic():
        locked = ApiKey.objects.select_for_update().get(pk=api_key.pk)
        if locked.revoked_at is None:
            locked.revoked_at, locked.revoked_by = now, by
            locked.save(update_fields=["revoked_at", "revoked_by"])
            record_audit_event(
                action="api_key.revoked",
                about=locked,
                by=by,
                now=now,
                before={"revoked_at": None},
                after={"revoked_at": now, **given_reason(reason)},
            )
    return locked


def has_key(text: str) -> bool:
    """Whether there is something in the text that has the form of a secret."""
    return _KEY.search(text) is not None


def find_key(secret: str, *, now: datetime) -> ApiKey | None:
    """Return the live key with its user and its partner, None for any other text."""
    return _keys.first(hash_of(secret), now) if _KEY.fullmatch(secret) else None


# Asked at every call of the API; `benchmarks/README.md` has what that saves.
@repeated_query(TEXT, MOMENT)
def _keys(secret_hash: str, now: datetime) -> "QuerySet[ApiKey, ApiKey]":
    rows = ApiKey.objects.live(now).filter(secret_hash=secret_hash)
    return rows.select_related("partner", "user")


def hash_of(secret: str) -> str:
    """Return the SHA-256: with 160 random bits a slow hash would protect nothing more."""
    return hashlib.sha256(secret.encode()).hexdigest()


def note_use(api_key: ApiKey, *, now: datetime) -> None:
    """Note in the cache that the key was used; each process does it once a minute."""
    clock = time.monotonic()
    if clock - _noted.get(api_key.pk, -_SECONDS_BETWEEN_NOTES) >= _SECONDS_BETWEEN_NOTES:
        _noted[api_key.pk] = clock
        cache.set(_note_of(api_key.pk), now.timestamp(), timeout=_NOTED_FOR.total_seconds())


def write_last_uses(*, now: datetime) -> int:
    """Write what the cache has noted of the keys, once a minute; return of how many.

    Keys that have ended since the note are among them: the last use of a leaked key matters most.
    """
    if not cache.add("api-keys-written", 1, timeout=_SECONDS_BETWEEN_NOTES):
        return 0
    keys = {_note_of(key.pk): key for key in ApiKey.objects.live_after(now - _NOTED_FOR)}
    changed = []
    for note, stamp in cache.get_many(keys).items():
        api_key, used_at = keys[note], datetime.fromtimestamp(stamp, tz=UTC)
        if api_key.last_used_at is None or api_key.last_used_at < used_at:
            api_key.last_used_at = used_at
            changed.append(api_key)
    return ApiKey.objects.bulk_update(changed, ["last_used_at"])


def _note_of(key: int) -> str:
    return f"api-key-used:{key}"
