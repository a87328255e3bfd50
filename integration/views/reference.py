"""The page about the API: how to call it, every operation, every code."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe
from markdown_it import MarkdownIt

from integration.api.openapi import openapi_document
from integration.refusals import codes_of_the_api
from integration.services.keys import PREFIX

Schema = dict[str, Any]
# HTML in a text is escaped.
_markdown = MarkdownIt("commonmark", {"html": False})
_LIMITS = {
    "minLength": "%s characters or more",
    "maxLength": "%s characters at most",
    "minimum": "from %s",
    "maximum": "to %s",
    "minItems": "at least %s",
    "maxItems": "at most %s",
    "maxProperties": "at most %s",
    "pattern": "matches %s",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a body, an answer or an address: its name, and the words about it."""

    name: str
    kind: str
    is_required: bool
    about: SafeString


@dataclass(frozen=True, slots=True)
class Content:
    """What is sent or answered; `shape` is its name among the shapes, empty for other content."""

    text: str
    shape: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the page shows it."""

    key: str
    tag: str
    method: str
    path: str
    summary: str
    about: SafeString
    parameters: list[Field]
    body: list[Content]
    answer: list[Content]


@require_safe
@login_not_required
def reference(request: HttpRequest) -> HttpResponse:
    by_tag = groupby(_operations(), key=lambda operation: operation.tag)
    context = {
        "base_url": f"{settings.PUBLIC_BASE_URL}/api/v1",
        "prefix": PREFIX,
        "sections": [(tag, list(operations)) for tag, operations in by_tag],
        "shapes": _shapes(),
        "codes": codes_of_the_api(),
        "calls_a_minute": settings.RATE_LIMITS["api"][0],
        "provider_calls_a_minute": settings.RATE_LIMITS["provider_api"][0],
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
            about=_html(row["description"]),
            parameters=[
                _field(one["name"], one["schema"], is_required=one["required"], shown=one)
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
def _shapes() -> list[tuple[str, SafeString, list[Field]]]:
    """Return the name, the sentence and the fields of everything that is sent or answered."""
    schemas = openapi_document()["components"]["schemas"]
    return [
        (name, _html(schema.get("description", "")), _fields(schema))
        for name, schema in sorted(schemas.items())
        if "properties" in schema
    ]


def _fields(schema: Schema) -> list[Field]:
    required = schema.get("required", [])
    return [
        _field(name, field, is_required=name in required, shown=field)
        for name, field in schema["properties"].items()
    ]


def _field(name: str, schema: Schema, *, is_required: bool, shown: Schema) -> Field:
    limits = ", ".join([_kind(schema), *_limits(schema)])
    return Field(name, limits, is_required, _inline_html(shown.get("description", "")))


def _limits(schema: Schema) -> list[str]:
    """Return in words what a value is limited to, and what it is where it is not sent."""
    kinds = [schema, *schema.get("anyOf", [])]
    found = [words % one[key] for one in kinds for key, words in _LIMITS.items() if key in one]
    default = schema.get("default")
    if isinstance(default, str | int | float) and default != "":
        found.append(f"default {json.dumps(default)}")
    return found


def _body_of(part: Schema) -> list[Content]:
    """Return the content types, but not that of JSON, and all shapes that they contain."""
    content = part.get("content", {})
    types = [Content(name, "") for name in content if name != "application/json"]
    return types + [Content(name, name) for name in dict.fromkeys(_references(content))]


def _references(part: Any) -> Iterator[str]:
    """Yield the names of the shapes that the part of the document refers to."""
    if isinstance(part, dict):
        if "$ref" in part:
            yield _of_reference(part["$ref"].rpartition("/")[2])
        for one in part.values():
            yield from _references(one)
    elif isinstance(part, list):
        for one in part:
            yield from _references(one)


def _html(text: str) -> SafeString:
    """Return the HTML of a description, which is CommonMark as OpenAPI says."""
    return SafeString(_markdown.render(text))


def _inline_html(text: str) -> SafeString:
    """Return the HTML of a description of one field, without a paragraph around it."""
    return SafeString(_markdown.renderInline(text))


def _kind(schema: Schema) -> str:
    """Return in words what a value is."""
    if len(schema.get("allOf", [])) == 1:
        # What has a default beside its reference.
        return _kind(schema["allOf"][0])
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
