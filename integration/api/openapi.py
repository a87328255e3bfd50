"""The OpenAPI document: what django-ninja makes of the operations, and what all of them share."""

import re
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from integration.api.answers import IDEMPOTENCY_KEY
from integration.api.problems import CONTENT_TYPE
from integration.api.provider.fact_schemas import fact_schemas
from integration.api.site import api
from integration.models import LONGEST_IDEMPOTENCY_KEY

Document = dict[str, Any]

# What any call may be answered, and what only one with a body or with an id.
_ALWAYS = {
    400: "The call cannot be read.",
    401: "The key is missing, unknown, expired or revoked.",
    403: "The key or token lacks the scope, or the call is for the other side.",
    422: "A field or parameter is not right; `fields` names each.",
    429: "Too often; Retry-After says when to try again.",
    503: "The service is not available for a moment.",
}
_OF_ONE = {404: "There is no such object, or it is not yours."}
_OF_CHANGES = {
    409: "The state of things does not allow it; `code` says why.",
    411: "The body has no Content-Length.",
    413: "The body is too large.",
    415: "The body is not declared as what the call reads, or is compressed.",
}
_LISTED = re.compile(r"Listed[_\[](\w+?)Shown[_\]]")
_PICTURES = {"svg": "image/svg+xml", "png": "image/png"}
_REPEATABLE = {
    "name": IDEMPOTENCY_KEY,
    "in": "header",
    "required": False,
    "description": "Your own key of this change. The same call again gets the first answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_IDEMPOTENCY_KEY},
}
_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. `code` is stable; `detail` is for people.",
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "again_at": {"type": "string", "format": "date-time"},
        "item": {"type": "integer", "description": "Which of many it is about, from 0."},
        "missing_scope": {"type": "string"},
        "obstacles": {"type": "array", "items": {"type": "string"}},
        "fields": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {
                    "field": {"type": "string"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
        "fields_left_out": {
            "type": "integer",
            "description": "How many more of `fields` there are.",
        },
    },
}


@cache
def openapi_document() -> Document:
    """Return the document. Each operation has the problems that it may be answered."""
    document: Document = _with_plain_names(dict(api.get_openapi_schema(path_prefix="/api/v1/")))
    document["servers"] = [{"url": settings.PUBLIC_BASE_URL}]
    document["components"]["schemas"] |= {"Problem": _PROBLEM, **fact_schemas()}
    document["components"]["responses"] = {
        _name_of(status): {
            "description": description,
            "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, description in sorted((_ALWAYS | _OF_ONE | _OF_CHANGES).items())
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            is_of_one = operation.pop("x-finds-one", False) or "{" in path
            _complete(operation, method=method, is_of_one=is_of_one)
            picture = _PICTURES.get(path.rpartition(".")[2])
            if picture is not None:
                operation["responses"][200]["content"] = {picture: {}}
                # Of an invitation that cannot be followed there is none.
                operation["responses"][409] = _answer_of(409)
    return document


def _with_plain_names(part: Any) -> Any:
    """Name lists CustomerList, which pydantic names Listed_CustomerShown_ and Listed[…]."""
    if isinstance(part, dict):
        return {_plain_name(key): _with_plain_names(value) for key, value in part.items()}
    if isinstance(part, list):
        return [_with_plain_names(one) for one in part]
    return _plain_name(part)


def _plain_name(text: Any) -> Any:
    return _LISTED.sub(r"\1List", text) if isinstance(text, str) else text


def _complete(operation: Document, *, method: str, is_of_one: bool) -> None:
    scope = operation.pop("x-scope")
    operation["security"] = [{scheme: [scope]} for row in operation["security"] for scheme in row]
    operation["description"] = f"{operation.get('description', '')}\n\nScope: `{scope}`.".strip()
    problems = _ALWAYS | (_OF_ONE if is_of_one else {})
    if method != "get":
        problems |= _OF_CHANGES
        operation["parameters"].append(_REPEATABLE)
    for status in sorted(problems):
        operation["responses"][status] = _answer_of(status)


def _answer_of(status: int) -> Document:
    return {"$ref": f"#/components/responses/{_name_of(status)}"}


def _name_of(status: int) -> str:
    return f"Problem{status}"


@require_safe
def openapi_json(_request: HttpRequest) -> HttpResponse:
    return JsonResponse(openapi_document())
