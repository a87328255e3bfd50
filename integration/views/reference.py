"""The page about the API: how to call it, every operation, every code."""

from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from association.refusals import SENTENCES as OF_CUSTOMERS
from integration.api.openapi import openapi_document
from integration.refusals import SENTENCES as OF_WEBHOOKS
from integration.services.keys import PREFIX
from partners.refusals import SENTENCES as OF_INVITATIONS

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a body, an answer or an address: its name, and the words about it."""

    name: str
    kind: str
    is_required: bool
    about: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the page shows it."""

    key: str
    tag: str
    method: str
    path: str
    summary: str
    about: str
    parameters: list[Field]
    body: str
    answer: str


@require_safe
@login_not_required
def reference(request: HttpRequest) -> HttpResponse:
    by_tag = groupby(_operations(), key=lambda operation: operation.tag)
    context = {
        "base_url": f"{settings.PUBLIC_BASE_URL}/api/v1",
        "prefix": PREFIX,
        "sections": [(tag, list(operations)) for tag, operations in by_tag],
        "shapes": _shapes(),
        "codes": sorted([*OF_CUSTOMERS.items(), *OF_INVITATIONS.items(), *OF_WEBHOOKS.items()]),
        "calls_a_minute": settings.RATE_LIMITS["api"][0],
    }
    return render(request, "integration/reference.html", context)


@cache
def _operations() -> list[Operation]:
    found = [
        Operation(
            key=row["operationId"],
            tag=row["tags"][0],
            method=method.upper(),
            path=path,
            summary=row["summary"],
            about=row["description"],
            parameters=[
                Field(
                    one["name"], _kind(one["schema"]), one["required"], one.get("description", "")
                )
                for one in row["parameters"]
            ],
            body=_body_of(row.get("requestBody", {})),
            answer=_body_of(row["responses"].get(200) or row["responses"][201]),
        )
        for path, operations in openapi_document()["paths"].items()
        for method, row in operations.items()
    ]
    return sorted(found, key=lambda operation: operation.tag)


@cache
def _shapes() -> list[tuple[str, str, list[Field]]]:
    """Return the name, the sentence and the fields of everything that is sent or answered."""
    schemas = openapi_document()["components"]["schemas"]
    return [
        (name, schema.get("description", ""), _fields(schema))
        for name, schema in sorted(schemas.items())
        if "properties" in schema
    ]


def _parameter(row: Schema) -> Field:
    return Field(row["name"], _kind(row["schema"]), row["required"], row.get("description", ""))


def _fields(schema: Schema) -> list[Field]:
    required = schema.get("required", [])
    return [
        Field(name, _kind(field), name in required, field.get("description", ""))
        for name, field in schema["properties"].items()
    ]


def _body_of(part: Schema) -> str:
    content = part.get("content", {}).get("application/json", {})
    return _kind(content["schema"]) if "schema" in content else ""


def _kind(schema: Schema) -> str:
    """Return in words what a value is."""
    if "$ref" in schema:
        return _of_reference(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return ", ".join(str(one) for one in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    return str(schema.get("format") or schema.get("type") or "any value")


def _of_reference(name: str) -> str:
    target = openapi_document()["components"]["schemas"][name]
    return name if "properties" in target else _kind(target)
