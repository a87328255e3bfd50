"""What an operation says of who may call it, and what is refused before it runs."""

from collections.abc import Callable
from datetime import UTC
from functools import wraps
from typing import Any
from urllib.parse import unquote

from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer
from pydantic import BaseModel

from integration.api.callers import (
    CHALLENGE,
    AnyCaller,
    AnyRequest,
    Caller,
    ProviderCaller,
    caller_with_key,
    caller_with_token,
    note_refusal,
)
from integration.api.problems import FieldProblem, Problem
from integration.enums import CallProblem, ProviderScope, Scope
from integration.services.keys import has_key
from integration.services.tokens import has_token, is_token


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
            raise Problem(401, CallProblem.KEY_MISSING, text, headers=CHALLENGE)
        return caller

    def authenticate(self, request: HttpRequest, token: str) -> AnyCaller:
        find_caller = caller_with_token if is_token(token.strip()) else caller_with_key
        caller = find_caller(request, token.strip(), timezone.now())
        if not isinstance(caller, self.side):
            text = f"This call is for keys of {self.keys_are_of}."
            raise Problem(403, CallProblem.KEY_OF_OTHER_SIDE, text)
        if self.scope not in caller.scopes:
            raise scope_missing(self.scope, is_token=is_token(token.strip()))
        return caller


class ProviderAuth(KeyAuth):
    """`Authorization: Bearer …`, with a key of the provider or a JWT of its issuer."""

    side = ProviderCaller
    keys_are_of = "the provider"


def scope_missing(scope: Scope | ProviderScope, *, is_token: bool) -> Problem:
    """Return the problem of a call whose key, or token, lacks the scope."""
    text = f"This key lacks the scope {scope}. An administrator can make another key."
    if is_token:
        text = f"This token lacks the scope {scope}: your issuer grants it, in the claim scope."
    return Problem(403, CallProblem.SCOPE_MISSING, text, missing_scope=scope)


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


def _refuse_keys_in_address(request: HttpRequest) -> None:
    """Addresses are logged by proxies and kept in histories."""
    # An underscore may be written as %5F.
    address = unquote(request.get_full_path())
    if has_key(address) or has_token(address):
        note_refusal("api_key.in_address")
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
