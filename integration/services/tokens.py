"""Tokens (JWTs) of the provider's issuer, which its programs may send in place of keys."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt
from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.enums import UserKind
from accounts.models import User
from accounts.services.key_users import create_key_user
from audit.services import record_audit_event
from integration.models import LONGEST_SUBJECT, ApiKey
from integration.services.api_issuer_keys import find_issuer_key
from web.transactions import whole_transaction

# By how much the issuer's clock and ours may differ.
LEEWAY = timedelta(seconds=30)
LONGEST_TOKEN = 8_000
# Its first two parts begin with `{"` in base64.
_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.")
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Token:
    """What a valid token says: which program sends it, and what it may do."""

    subject: str
    scopes: frozenset[str]


class TokenRejected(Exception):
    """The token is not valid; the text says why, for the person who writes the program."""


def is_token(text: str) -> bool:
    """Whether the text could be a token, and tokens are accepted at all. Keys have no dots."""
    return bool(settings.API_JWT_ISSUER) and text.count(".") == 2


def has_token(text: str) -> bool:
    """Whether there is something in the text that has the form of a token."""
    return _TOKEN.search(text) is not None


def read_token(text: str, *, now: datetime) -> Token:
    """Return what the token says, after every check. Raises TokenRejected and IssuerUnavailable.

    The key alone decides the algorithm (RFC 8725), and only those of `signing_keys.ALGORITHMS`
    are accepted.
    """
    if len(text) > LONGEST_TOKEN:
        raise TokenRejected("It is too long.")
    try:
        key_id = jwt.get_unverified_header(text).get("kid")
        if not isinstance(key_id, str):
            raise TokenRejected("Its header has no kid.")
        key = find_issuer_key(key_id, now=now)
        if key is None:
            raise TokenRejected("The issuer has no key of the id in its header (kid).")
        claims = jwt.decode(
            text,
            key,
            algorithms=[key.algorithm_name],
            audience=settings.API_JWT_AUDIENCE,
            issuer=settings.API_JWT_ISSUER,
            leeway=LEEWAY,
            options={"require": ["iss", "aud", "exp", "sub"]},
        )
    except (jwt.PyJWTError, RecursionError) as error:
        raise TokenRejected(_reason(error)) from error
    subject, scopes = claims["sub"], claims.get("scope", "")
    if not subject or len(subject) > LONGEST_SUBJECT or not subject.isprintable():
        raise TokenRejected("Its subject (sub) is empty, too long, or not printable.")
    if subject != subject.strip():
        raise TokenRejected("Its subject (sub) begins or ends with a blank.")
    if not isinstance(scopes, str):
        raise TokenRejected("Its scope is not a text.")
    return Token(subject, frozenset(scopes.split()))


def _reason(error: Exception) -> str:
    match error:
        case jwt.ExpiredSignatureError():
            return "It has expired (exp)."
        case jwt.ImmatureSignatureError():
            return "It is not valid yet (nbf, iat)."
        case jwt.InvalidAudienceError():
            return "It is for another audience (aud)."
        case jwt.InvalidIssuerError():
            return "It comes from another issuer (iss)."
        case jwt.MissingRequiredClaimError():
            return f"It has no {error.claim}."
        case jwt.InvalidAlgorithmError():
            return "Its algorithm (alg) is not that of the key."
    return "It is malformed, or its signature is wrong."


def find_program(subject: str) -> ApiKey | None:
    """Return the row of the program that the issuer calls by this name, also a revoked one."""
    rows = ApiKey.objects.filter(issuer=settings.API_JWT_ISSUER, subject=subject)
    return rows.select_related("user").first()


def build_program(subject: str, *, now: datetime) -> ApiKey:
    """Return a row that is not stored, for a program that has only read so far."""
    return ApiKey(
        user=User(kind=UserKind.PROVIDER_PROGRAM, is_active=False),
        name=subject[:_LONGEST_NAME],
        issuer=settings.API_JWT_ISSUER,
        subject=subject,
        created_at=now,
    )


def add_program(subject: str, *, now: datetime) -> ApiKey:
    """Store the program with the user as whom it acts; or return its row, if it has one by now.

    Called in the transaction of its first change: if that is undone, so is the row.
    """
    try:
        return _write_program(build_program(subject, now=now), now)
    except IntegrityError:
        # Another call of the same program was first.
        found = find_program(subject)
        if found is None:
            raise
        return found


@whole_transaction
@transaction.atomic
def _write_program(program: ApiKey, now: datetime) -> ApiKey:
    program.user = create_key_user(name=program.name, kind=UserKind.PROVIDER_PROGRAM)
    program.save(force_insert=True)
    record_audit_event(
        action="api_key.created",
        about=program,
        by=None,
        now=now,
        after={
            "partner": None,
            "user": program.user_id,
            "name": program.name,
            "issuer": program.issuer,
            "subject": program.subject,
            "scopes": [],
            "expires_at": None,
            "revoked_at": None,
        },
    )
    return program
