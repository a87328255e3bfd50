"""Who calls: the programs of partners and of the provider, found by their keys and tokens."""

from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Self

from django.http import HttpRequest

from accounts.models import User
from audit.services import acting_for
from integration.api.problems import Problem
from integration.enums import CallProblem
from integration.models import ApiKey
from integration.services.api_issuer_keys import IssuerUnavailable
from integration.services.keys import find_key, note_use
from integration.services.tokens import (
    TokenRejected,
    add_program,
    build_program,
    find_program,
    read_token,
)
from partners.enums import PartnerRole
from partners.models import Partner, PartnerMember
from web.limits import count_use
from web.security_log import log_repeated_event

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="api"'}
_NO_SUCH_KEY = "This key does not exist, has expired or was revoked."


@dataclass(frozen=True, slots=True)
class Caller:
    """A partner's key that calls. It acts as its own user, and sees what an administrator sees."""

    api_key: ApiKey
    partner: Partner
    limit: ClassVar[str] = "api"

    @property
    def user(self) -> User:
        return self.api_key.user

    @property
    def scopes(self) -> Collection[str]:
        return frozenset(self.api_key.scopes)

    @property
    def member(self) -> PartnerMember:
        """An administrator that is stored nowhere, for services that ask who sees what."""
        return PartnerMember(partner=self.partner, user=self.user, role=PartnerRole.ADMINISTRATOR)

    def acting(self) -> AbstractContextManager[None]:
        """Return the context in which audit events are the partner's activity."""
        return acting_for(self.partner.pk, self.user)

    def stored(self, now: datetime) -> Self:
        return self


@dataclass(frozen=True, slots=True)
class ProviderCaller:
    """A program of the provider that calls. It acts as its own user, and sees all partners.

    The scopes are those of its key, or of the token that it sent.
    """

    api_key: ApiKey
    scopes: Collection[str]
    limit: ClassVar[str] = "provider_api"

    @property
    def user(self) -> User:
        return self.api_key.user

    def acting(self) -> AbstractContextManager[None]:
        return nullcontext()

    def stored(self, now: datetime) -> Self:
        """Return the caller with a row; that of a program that sends tokens is made when it acts.

        Call it in the transaction of what the program does.
        """
        if self.api_key.is_stored:
            return self
        return replace(self, api_key=add_program(self.api_key.subject, now=now))


AnyCaller = Caller | ProviderCaller


class ApiRequest(HttpRequest):
    """A call of a partner's program."""

    auth: Caller


class ProviderRequest(HttpRequest):
    """A call of a program of the provider."""

    auth: ProviderCaller


AnyRequest = ApiRequest | ProviderRequest


def caller_with_key(_request: HttpRequest, secret: str, now: datetime) -> AnyCaller:
    api_key = find_key(secret, now=now)
    if api_key is None:
        raise _unknown(CallProblem.KEY_UNKNOWN, _NO_SUCH_KEY)
    if api_key.partner is None:
        caller: AnyCaller = ProviderCaller(api_key, frozenset(api_key.scopes))
    else:
        caller = Caller(api_key, api_key.partner)
    count_use(caller.limit, str(api_key.pk))
    note_use(api_key, now=now)
    return caller


def caller_with_token(_request: HttpRequest, text: str, now: datetime) -> ProviderCaller:
    """Return the program that sends the token; it has no row before its first change."""
    try:
        token = read_token(text, now=now)
    except TokenRejected as rejected:
        raise _unknown(CallProblem.JWT_REJECTED, f"Not a valid token. {rejected}") from rejected
    except IssuerUnavailable as unavailable:
        text = "The keys of the issuer cannot be read now. Try again."
        headers = {"Retry-After": str(unavailable.seconds)}
        code = CallProblem.ISSUER_UNAVAILABLE
        raise Problem(503, code, text, headers=headers) from unavailable
    program = find_program(token.subject)
    if program is None:
        program = build_program(token.subject, now=now)
    elif program.revoked_at is not None:
        raise _unknown(CallProblem.KEY_UNKNOWN, "This program was revoked.")
    else:
        note_use(program, now=now)
    count_use(ProviderCaller.limit, f"{program.issuer} {program.subject}")
    return ProviderCaller(program, token.scopes)


def _unknown(code: CallProblem, text: str) -> Problem:
    """Return the problem of a call whose key or token is not accepted, and count the call."""
    note_refusal("api_key.rejected")
    count_use("api_unknown_key")
    return Problem(401, code, text, headers=CHALLENGE)


def note_refusal(event: str) -> None:
    log_repeated_event(event, route="api")
