"""The keys with which the provider's issuer signs tokens, read from it and kept in the cache."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from django.conf import settings
from django.core.cache import cache
from jwt import PyJWK
from jwt.exceptions import PyJWTError
from urllib3.exceptions import HTTPError

from integration.services.addresses import Target
from integration.services.posting import CheckedConnection
from web.security_log import log_security_event

ALGORITHMS = ("RS256", "ES256", "EdDSA")
CONNECT_SECONDS, ANSWER_SECONDS = 2.0, 3.0
MOST_READ = 256 * 1024
_CHUNK = 16 * 1024
_SMALLEST_RSA = 2048
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


class _Failed(Exception):
    """The issuer did not answer as issuers do; the text says how, for the log."""


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
        except _Failed as failed:
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
    """Return the keys that may sign tokens, by their ids."""
    document = _fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if document.get("issuer") != issuer:
        raise _Failed("its document names another issuer")
    rows = _fetch(document.get("jwks_uri")).get("keys")
    if not isinstance(rows, list):
        raise _Failed("no list of keys")
    return {row["kid"]: row for row in rows if _may_sign(row)}


def _may_sign(row: Any) -> bool:
    if not isinstance(row, dict) or not isinstance(row.get("kid"), str):
        return False
    if row.get("use", "sig") != "sig":
        return False
    try:
        key = PyJWK(row)
    except (PyJWTError, TypeError, ValueError):
        return False
    if isinstance(key.key, RSAPublicKey) and key.key.key_size < _SMALLEST_RSA:
        return False
    return key.algorithm_name in ALGORITHMS


def _fetch(url: Any) -> dict[str, Any]:
    """GET the JSON object at the URL: no redirects, an end to time and size. Raises _Failed."""
    target = _target(url)
    connection = CheckedConnection(
        target,
        # The operator named the issuer, which may be in the same network: any address will do.
        [target.host],
        connect_seconds=CONNECT_SECONDS,
        answer_seconds=ANSWER_SECONDS,
    )
    try:
        with connection.ending_after(CONNECT_SECONDS + ANSWER_SECONDS):
            status, text = _get(connection, target)
    except OSError as error:
        raise _Failed(type(error).__name__) from error
    except (HTTPError, HTTPException, ValueError) as error:
        raise _Failed("not HTTP") from error
    if status != 200:
        raise _Failed(f"status {status}")
    if len(text) > MOST_READ:
        raise _Failed("too large")
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _Failed("not JSON") from error
    if not isinstance(answer, dict):
        raise _Failed("not an object")
    return answer


def _get(connection: CheckedConnection, target: Target) -> tuple[int, bytes]:
    connection.connect()
    connection.request(
        "GET",
        target.path,
        headers={
            "Host": target.authority,
            "Accept": "application/json",
            "Connection": "close",
        },
        preload_content=False,
        decode_content=False,
    )
    response = connection.getresponse()
    text = b""
    while len(text) <= MOST_READ and (chunk := response.read(_CHUNK)):
        text += chunk
    return response.status, text


def _target(url: Any) -> Target:
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        port = parts.port
    except ValueError as error:
        raise _Failed("a malformed address") from error
    is_https = parts.scheme == "https"
    if not (is_https or (settings.DEMO and parts.scheme == "http")) or not parts.hostname:
        raise _Failed("an address without https")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    port = port or (443 if is_https else 80)
    return Target(is_https=is_https, host=parts.hostname, port=port, path=path)
