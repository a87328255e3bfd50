"""ID tokens: who an issuer says has logged in, believed only after every check."""

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard

import jwt
from django.utils.dateparse import parse_datetime

from accounts.enums import RegistrationSite
from accounts.fields import offered_countries
from accounts.issuers import Issuer
from accounts.models.connected_logins import LONGEST_SUBJECT
from accounts.models.customers import LONGEST_EXTERNAL_ID
from accounts.services.connected_logins import Identity
from accounts.services.issuer_registration import Person
from integration.enums import LogInProblem
from integration.services.issuer_documents import Metadata, key_for
from integration.services.signing_keys import ALGORITHMS
from web.email_addresses import InvalidAddress, canonical_address
from web.moments import EARLIEST
from web.refused import Refused
from web.typed_text import clean_line, is_exact_key

# By how much the issuer's clock and ours may differ.
LEEWAY = timedelta(minutes=1)
LONGEST_NAME = 120
_NOT_STORABLE = re.compile(r"[\x00\ud800-\udfff]")


def verify_id_token(
    issuer: Issuer, metadata: Metadata, token: str, *, nonce: str, begun_at: datetime
) -> dict[str, Any]:
    """Return the claims of a token that this issuer signed for us, for this log-in, just now.

    Raises Busy and Refused: LogInProblem.
    """
    try:
        header = jwt.get_unverified_header(token)
        algorithm, key_id = header.get("alg"), header.get("kid")
        if algorithm not in ALGORITHMS or not isinstance(key_id, str | None):
            raise _wrong("alg")
        claims: dict[str, Any] = jwt.decode(
            token,
            key_for(issuer, metadata, algorithm, key_id),
            algorithms=[algorithm],
            audience=issuer.client_id,
            issuer=issuer.issuer,
            leeway=LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except jwt.exceptions.PyJWTError as error:
        raise _wrong(type(error).__name__) from error
    _check(issuer, claims, nonce, begun_at)
    return claims


def _check(issuer: Issuer, claims: dict[str, Any], nonce: str, begun_at: datetime) -> None:
    """Check what PyJWT does not: the log-in that the token is for, and the parties."""
    subject, audience = claims["sub"], claims["aud"]
    if not subject or len(subject) > LONGEST_SUBJECT or not subject.isprintable():
        raise _wrong("sub")
    sent = claims.get("nonce")
    if not isinstance(sent, str) or not secrets.compare_digest(sent.encode(), nonce.encode()):
        raise _wrong("nonce")
    party = claims.get("azp")
    if party is None and isinstance(audience, list) and len(audience) > 1:
        raise _wrong("azp")
    if party is not None and party != issuer.client_id:
        raise _wrong("azp")
    # PyJWT takes a number in a text too.
    if float(claims["iat"]) < (begun_at - LEEWAY).timestamp():
        raise _wrong("iat")


def identity_in(issuer: Issuer, claims: Mapping[str, Any]) -> Identity:
    """Return whose verified claims these are."""
    return Identity(issuer=issuer.issuer, subject=claims["sub"])


def lacks_claims(issuer: Issuer, claims: Mapping[str, Any]) -> bool:
    """Return whether the issuer may say more about the person at its userinfo endpoint."""
    return any(name not in claims for name in ("email", "email_verified", *issuer.claims.values()))


def read_person(issuer: Issuer, claims: Mapping[str, Any]) -> Person:
    """Return the person that verified claims describe.

    Raises Refused: ADDRESS_NOT_PROVEN unless the issuer says so with a true that is no text, and
    ANSWER_WRONG for a registration that cannot be read: rules count from it.
    """
    email = claims.get("email")
    if claims.get("email_verified") is not True or not _is_storable(email):
        raise Refused(LogInProblem.ADDRESS_NOT_PROVEN)
    try:
        canonical_address(email)
    except InvalidAddress as error:
        raise Refused(LogInProblem.ADDRESS_NOT_PROVEN) from error
    given = {field: claims.get(claim) for field, claim in issuer.claims.items()}
    return Person(
        identity=identity_in(issuer, claims),
        email=email,
        external_id=_external_id(given.get("external_id")),
        name=name_in(issuer, claims),
        country=_country(given.get("country")),
        registration_site=_site(given.get("registration_site")),
        registered_at=_moment(given.get("registered_at")),
    )


def name_in(issuer: Issuer, claims: Mapping[str, Any]) -> str:
    """Return the name that verified claims have; "" without one."""
    return _name(claims.get(issuer.claims["name"]))


def _name(value: Any) -> str:
    return clean_line(value)[:LONGEST_NAME] if _is_storable(value) else ""


def _is_storable(value: Any) -> TypeGuard[str]:
    """Whether it is a text without NUL and half of a surrogate pair, which JSON can have."""
    return isinstance(value, str) and not _NOT_STORABLE.search(value)


def _external_id(value: Any) -> str:
    """Return the provider's key of the account, a number as its digits. Raises Refused."""
    if value is None or value == "":
        return ""
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise _wrong("external_id")
    text = str(value)
    is_clean = _is_storable(text) and is_exact_key(text)
    if len(text) > LONGEST_EXTERNAL_ID or not is_clean:
        raise _wrong("external_id")
    return text


def _country(value: Any) -> str:
    """Return the code if people may register with it; else they are asked."""
    offered = {code for code, _label in offered_countries()}
    return value if isinstance(value, str) and value in offered else ""


def _site(value: Any) -> RegistrationSite:
    if value is None:
        return RegistrationSite.INTERNATIONAL
    try:
        return RegistrationSite(value)
    except ValueError as error:
        raise _wrong("registration_site") from error


def _moment(value: Any) -> datetime | None:
    """Return the moment: seconds since 1970, or a text as RFC 3339 has it, with its offset."""
    if value is None:
        return None
    moment = None
    try:
        if isinstance(value, str):
            moment = parse_datetime(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            moment = datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        moment = None
    now = datetime.now(UTC)
    if moment is None or moment.tzinfo is None or not EARLIEST <= moment <= now + LEEWAY:
        raise _wrong("registered_at")
    return min(moment, now)


def _wrong(what: str) -> Refused:
    return Refused(LogInProblem.ANSWER_WRONG, reasons=[what])
