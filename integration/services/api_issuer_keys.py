"""The keys with which the API's issuer signs tokens, read from it and kept in the cache."""

import hashlib
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.cache import cache
from jwt import PyJWK

from integration.services.fetching import FetchFailed, fetch_object
from integration.services.signing_keys import ALGORITHMS, usable_key
from web.security_log import log_security_event

# The caller whose token makes us read the keys waits so long at most.
LONGEST_READ_SECONDS = 3.0
# A key that the issuer no longer has is refused an hour later. While the issuer is away, the keys
# that are known go on working for a day.
FRESH_SECONDS = 60 * 60
KEPT_SECONDS = 24 * 60 * 60
# Tokens with unknown keys, which anybody can send, make us read the keys no more often than this.
PAUSE_SECONDS = 60
# Without any key every call is refused, so the next try comes sooner.
PAUSE_WITHOUT_KEYS_SECONDS = 10


class IssuerUnavailable(Exception):
    """No key is known, and the issuer did not give any: try again after `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def find_issuer_key(key_id: str, *, now: datetime) -> PyJWK | None:
    """Return the issuer's key of this id, None if it has none. Raises IssuerUnavailable.

    Only one caller of all processes reads the keys again, and the others go on with those known.
    Call it outside every transaction.
    """
    known = cache.get(_name("keys"))
    is_old = known is None or now.timestamp() - known["read_at"] >= FRESH_SECONDS
    if is_old or key_id not in known["keys"]:
        known = _read_again(known, now)
    row = known["keys"].get(key_id)
    return None if row is None else PyJWK(row)


def _read_again(known: dict[str, Any] | None, now: datetime) -> dict[str, Any]:
    """Return the keys read now, or those known where it is too early or the issuer is away."""
    pause = PAUSE_WITHOUT_KEYS_SECONDS if known is None else PAUSE_SECONDS
    if cache.add(_name("read"), True, pause):
        try:
            known = {"keys": _read_keys(settings.API_JWT_ISSUER), "read_at": now.timestamp()}
        except FetchFailed as failed:
            log_security_event("issuer.failed", issuer=settings.API_JWT_ISSUER, reason=str(failed))
        else:
            cache.set(_name("keys"), known, KEPT_SECONDS)
            cache.set(_name("read"), True, PAUSE_SECONDS)
    if known is None:
        raise IssuerUnavailable(pause)
    return known


def _name(what: str) -> str:
    digest = hashlib.sha256(settings.API_JWT_ISSUER.encode()).hexdigest()[:32]
    return f"api-issuer:{digest}:{what}"


def _read_keys(issuer: str) -> dict[str, Mapping[str, Any]]:
    """Return the keys that may sign tokens, by their ids; both fetches share one time."""
    end = time.monotonic() + LONGEST_READ_SECONDS
    document = _fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration", end)
    if document.get("issuer") != issuer:
        raise FetchFailed("its document names another issuer")
    rows = _fetch(document.get("jwks_uri"), end).get("keys")
    if not isinstance(rows, list):
        raise FetchFailed("no list of keys")
    return {row["kid"]: row for row in rows if _may_sign(row)}


def _fetch(url: Any, end: float) -> dict[str, Any]:
    seconds = end - time.monotonic()
    if seconds <= 0:
        raise FetchFailed("too slow")
    return fetch_object(url, allow_http=settings.DEMO, seconds=seconds)


def _may_sign(row: Any) -> bool:
    if not isinstance(row, dict) or not isinstance(row.get("kid"), str):
        return False
    if row.get("use", "sig") != "sig":
        return False
    key = usable_key(row)
    return key is not None and key.algorithm_name in ALGORITHMS
