"""What an issuer publishes about itself: its addresses and its keys, kept in the shared cache."""

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

from django.core.cache import cache
from jwt import PyJWK

from accounts.issuers import Issuer, origin_of
from integration.enums import LogInProblem
from integration.services.issuer_calls import call_issuer
from integration.services.signing_keys import usable_key
from web.refused import Refused
from web.security_log import log_security_event

CACHED_SECONDS = 60 * 60
# After a key that is not among them, the keys are read again at most once in this time.
PAUSE_SECONDS = 60
_KEY_TYPES = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}


@dataclass(frozen=True, slots=True)
class Metadata:
    """The addresses of an issuer, and what it can do."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    takes_secret_in_body: bool = False
    can_register: bool = False


def metadata_of(issuer: Issuer) -> Metadata:
    """Return what the issuer's discovery document says. Raises Busy and Refused: LogInProblem."""
    cached = cache.get(_cache_key(issuer, "metadata"))
    if cached is not None:
        return Metadata(**cached)
    url = f"{issuer.issuer.rstrip('/')}/.well-known/openid-configuration"
    metadata = _read_metadata(issuer, call_issuer(issuer, url, headers={}))
    cache.set(_cache_key(issuer, "metadata"), asdict(metadata), CACHED_SECONDS)
    return metadata


def key_for(issuer: Issuer, metadata: Metadata, algorithm: str, key_id: str | None) -> PyJWK:
    """Return the issuer's key for this algorithm and id. Raises Busy and Refused: LogInProblem."""
    rows = cache.get(_cache_key(issuer, "keys"))
    if rows is None:
        rows = _read_keys(issuer, metadata)
    key = _find(rows, algorithm, key_id)
    # Issuers change their keys; but tokens of strangers must not make us read them each time.
    if key is None and cache.get(_cache_key(issuer, "keys are fresh")) is None:
        key = _find(_read_keys(issuer, metadata), algorithm, key_id)
    if key is None:
        raise Refused(LogInProblem.ANSWER_WRONG, reasons=["key"])
    return key


def _read_keys(issuer: Issuer, metadata: Metadata) -> list[dict[str, Any]]:
    found = call_issuer(issuer, metadata.jwks_uri, headers={}).get("keys")
    rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    cache.set(_cache_key(issuer, "keys"), rows, CACHED_SECONDS)
    cache.set(_cache_key(issuer, "keys are fresh"), True, PAUSE_SECONDS)
    return rows


def _find(rows: list[dict[str, Any]], algorithm: str, key_id: str | None) -> PyJWK | None:
    fitting = [
        row
        for row in rows
        if row.get("kty") == _KEY_TYPES[algorithm]
        and row.get("use", "sig") == "sig"
        and row.get("alg", algorithm) == algorithm
        and (key_id is None or row.get("kid") == key_id)
    ]
    return usable_key(fitting[0], algorithm) if len(fitting) == 1 else None


def _read_metadata(issuer: Issuer, document: dict[str, Any]) -> Metadata:
    if document.get("issuer") != issuer.issuer:
        raise _unusable(issuer, "issuer")
    schemes = {"https", "http"} if issuer.is_of_demo else {"https"}
    addresses = {}
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"):
        url = document.get(name, "")
        is_missing = name == "userinfo_endpoint" and url == ""
        if not is_missing and (not isinstance(url, str) or not origin_of(url, schemes=schemes)):
            raise _unusable(issuer, name)
        addresses[name] = url
    # Elsewhere the browser would not follow, because form-action does not name it.
    if origin_of(addresses["authorization_endpoint"], schemes=schemes) not in issuer.origins:
        raise _unusable(issuer, "authorization_endpoint is not among “origins” of OIDC_PROVIDERS")
    methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return Metadata(
        **addresses,
        takes_secret_in_body="client_secret_basic" not in methods,
        can_register="create" in (document.get("prompt_values_supported") or []),
    )


def _unusable(issuer: Issuer, what: str) -> Refused:
    log_security_event("issuer.unusable", issuer=issuer.id, reason=what)
    return Refused(LogInProblem.ISSUER_UNAVAILABLE, reasons=["metadata"])


def _cache_key(issuer: Issuer, what: str) -> str:
    digest = hashlib.sha256(issuer.issuer.encode()).hexdigest()[:32]
    return f"issuer:{digest}:{what.replace(' ', '_')}"
