"""Who calls: a program of a partner or of the provider, and what it may do."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC
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
from integration.services.keys import find_key, has_key, note_use
from partners.enums import PartnerRole
from partners.models import Partner, PartnerMember
from web.limits import count_use
from web.security_log import log_repeated_event

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="api"'}


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
    def member(self) -> PartnerMember:
        """An administrator that is stored nowhere, for services that ask who sees what."""
        return PartnerMember(partner=self.partner, user=self.user, role=PartnerRole.ADMINISTRATOR)

    def acting(self) -> AbstractContextManager[None]:
        """Return the context in which audit events are the partner's activity."""
        return acting_for(self.partner.pk, self.user)


@dataclass(frozen=True, slots=True)
class ProviderCaller:
    """A key of the provider that calls. It acts as its own user, and sees all partners."""

    api_key: ApiKey
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
        now = timezone.now()
        api_key = find_key(token.strip(), now=now)
        if api_key is None:
            _note("api_key.rejected")
            count_use("api_unknown_key")
            text = "This key does not exist, has expired or was revoked."
            raise Problem(401, CallProblem.KEY_UNKNOWN, text, headers=_CHALLENGE)
        caller = _caller_with(api_key)
        count_use(caller.limit, str(api_key.pk))
        note_use(api_key, now=now)
        if not isinstance(caller, self.side):
            raise self._missing_scope(f"This call is for keys of {self.keys_are_of}.")
        if self.scope not in api_key.scopes:
            text = f"This key lacks the scope {self.scope}. An administrator can make another key."
            raise self._missing_scope(text)
        return caller

    def _missing_scope(self, text: str) -> Problem:
        return Problem(403, CallProblem.SCOPE_MISSING, text, missing_scope=self.scope)


class ProviderAuth(KeyAuth):
    """`Authorization: Bearer pak_…`, with a key of the provider that has the scope."""

    side = ProviderCaller
    keys_are_of = "the provider"


def needs(scope: Scope) -> dict[str, Any]:
    """Return what an operation of partners says of who may call it; OpenAPI names the scope too."""
    return {"auth": KeyAuth(scope), "openapi_extra": {"x-scope": scope.value}}


def provider_needs(scope: ProviderScope) -> dict[str, Any]:
    """Return the same for an operation of the provider."""
    return {"auth": ProviderAuth(scope), "openapi_extra": {"x-scope": scope.value}}


def as_caller(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Run an operation in UTC, a partner's audit events as the partner's activity.

    Before that refuse what the operation would not read: parameters and a body that it lacks.
    """

    @wraps(operation)
    def run(request: AnyRequest, *args: Any, **values: Any) -> Any:
        _refuse_unread_parameters(request, values.get("query"))
        if "body" not in values:
            _refuse_unread_body(request)
        with timezone.override(UTC), request.auth.acting():
            return operation(request, *args, **values)

    return run


def _caller_with(api_key: ApiKey) -> AnyCaller:
    partner = api_key.partner
    return ProviderCaller(api_key) if partner is None else Caller(api_key, partner)


def _refuse_keys_in_address(request: HttpRequest) -> None:
    """Addresses are logged by proxies and kept in histories."""
    if has_key(request.get_full_path()):
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
