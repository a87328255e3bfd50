"""Who calls: a program of a partner or of the provider, and what it may do."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer
from pydantic import BaseModel

from accounts.models import User
from audit.services import acting_for
from integration.api.problems import FieldProblem, Problem
from integration.enums import CallProblem, ProviderScope, Scope
from integration.models import ApiKey
from integration.services.issuer_keys import IssuerUnavailable
from integration.services.keys import find_key, has_key, note_use
from integration.services.tokens import (
    TokenRejected,
    add_program,
    build_program,
    find_program,
    has_token,
    is_token,
    read_token,
)
from partners.enums import PartnerRole
from partners.models import Partner, PartnerMember
from web.limits import count_use
from web.security_log import log_repeated_event

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="api"'}
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


AnyCaller = Caller | ProviderCaller


class ApiRequest(HttpRequest):
    """A call of a partner's program."""

    auth: Caller


class ProviderRequest(HttpRequest):
    """A call of a program of the provider."""

    auth: ProviderCaller


AnyRequest = ApiRequest | ProviderRequest


class KeyAuth(HttpBearer):
    """`Authorization: Bearer pak_…`, with a partner's key that has the scope."""

    side: type[AnyCaller] = Caller
    keys_are_of = "partners"

    def __init__(self, scope: Scope | ProviderScope) -> None:
        super().__init__()
        self.scope = scope

    def __call__(self, request: HttpRequest) -> AnyCaller:
        _refuse_keys_in_address(request)
        caller: AnyCaller | None = super().__call__(request)
        if caller is None:
            text = "Send your key in the header: Authorization: Bearer pak_…"
            raise Problem(401, CallProblem.KEY_MISSING, text, headers=_CHALLENGE)
        return caller

    def authenticate(self, request: HttpRequest, token: str) -> AnyCaller:
        find_caller = _caller_with_token if is_token(token.strip()) else _caller_with_key
        caller = find_caller(request, token.strip(), timezone.now())
        if not isinstance(caller, self.side):
            raise self._missing_scope(f"This call is for keys of {self.keys_are_of}.")
        if self.scope not in caller.scopes:
            text = f"This key lacks the scope {self.scope}. An administrator can make another key."
            raise self._missing_scope(text)
        return caller

    def _missing_scope(self, text: str) -> Problem:
        return Problem(403, CallProblem.SCOPE_MISSING, text, missing_scope=self.scope)


class ProviderAuth(KeyAuth):
    """`Authorization: Bearer …`, with a key of the provider or a JWT of its issuer."""

    side = ProviderCaller
    keys_are_of = "the provider"


def needs(scope: Scope) -> dict[str, Any]:
    """Return what an operation of partners says of who may call it; OpenAPI names the scope too."""
    return {"auth": KeyAuth(scope), "openapi_extra": {"x-scope": scope.value}}


def provider_needs(scope: ProviderScope, *, finds_one: bool = False) -> dict[str, Any]:
    """Return the same for an operation of the provider.

    `finds_one`: parameters name an object, so that the answer can be a 404.
    """
    return {
        "auth": ProviderAuth(scope),
        "openapi_extra": {"x-scope": scope.value, "x-finds-one": finds_one},
    }


def reads_batch(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Let the operation read the body itself: lines and events are no JSON object."""
    operation.reads_batch = True  # type: ignore[attr-defined]
    return operation


def as_caller(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Run an operation in UTC, a partner's audit events as the partner's activity.

    Before that refuse what the operation would not read: parameters and a body that it lacks.
    """

    @wraps(operation)
    def run(request: AnyRequest, *args: Any, **values: Any) -> Any:
        _refuse_unread_parameters(request, values.get("query"))
        if "body" not in values and not getattr(operation, "reads_batch", False):
            _refuse_unread_body(request)
        with timezone.override(UTC), request.auth.acting():
            return operation(request, *args, **values)

    return run


def _caller_with_key(_request: HttpRequest, secret: str, now: datetime) -> AnyCaller:
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


def _caller_with_token(request: HttpRequest, text: str, now: datetime) -> ProviderCaller:
    """Return the program that sends the token; its row is stored at its first change."""
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
    if program is None and request.method not in SAFE_METHODS:
        program = add_program(token.subject, now=now)
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
    _note("api_key.rejected")
    count_use("api_unknown_key")
    return Problem(401, code, text, headers=_CHALLENGE)


def _refuse_keys_in_address(request: HttpRequest) -> None:
    """Addresses are logged by proxies and kept in histories."""
    address = request.get_full_path()
    if has_key(address) or has_token(address):
        _note("api_key.in_address")
        text = "The address contains a key. Revoke that key, and send keys in the header only."
        raise Problem(400, CallProblem.KEY_IN_ADDRESS, text)


def _refuse_unread_parameters(request: HttpRequest, query: BaseModel | None) -> None:
    """A filter with a typing error would list everything; of two values one would be lost."""
    known = set() if query is None else set(type(query).model_fields)
    fields = [
        FieldProblem(name[:100], "unknown", "Unknown parameter.")
        if name not in known
        else FieldProblem(name, "repeated", "Send this parameter once.")
        for name, values in sorted(request.GET.lists())
        if name not in known or len(values) > 1
    ]
    if fields:
        names = ", ".join(field.field for field in fields)
        text = f"Look at the parameters: {names[:500]}."
        raise Problem(422, CallProblem.FIELDS_INVALID, text, fields=fields)


def _refuse_unread_body(request: HttpRequest) -> None:
    """A change without fields takes no body, or an empty object."""
    if request.body.strip() not in {b"", b"{}"}:
        text = "This call takes no body."
        raise Problem(400, CallProblem.BODY_NOT_EXPECTED, text)


def _note(event: str) -> None:
    log_repeated_event(event, route="api")
