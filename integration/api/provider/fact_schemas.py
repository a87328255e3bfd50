"""What the OpenAPI document says of facts and spending: a schema of each kind, from its form."""

from collections.abc import Mapping
from typing import Any

from django import forms

from accounts.models import Spending
from accounts.services.fact_forms import EXTERNAL_ID, FACT_FORMS, AccountForm, fact_form

Schema = dict[str, Any]

_FORMS: Mapping[str, Any] = {**FACT_FORMS, "account": AccountForm}
_SPENDING = "spending"
# What a line names itself, and of an event the envelope.
_KEYS = ("source", "external_id")
_ACCOUNTS = ("account", "master", "member")


def schema_name(kind: str) -> str:
    """Return what the document calls the fields of this kind: BillFact."""
    return kind.title().replace("_", "") + "Fact"


def names_of_facts() -> list[str]:
    return [schema_name(kind) for kind in _FORMS]


def names_of_spending() -> list[str]:
    return [schema_name(_SPENDING)]


def fact_schemas() -> dict[str, Schema]:
    """Return the schemas of all kinds, and of what every line has beside the fields of its kind."""
    kinds = {**_FORMS, _SPENDING: fact_form(Spending)}
    found = {schema_name(kind): _schema_of(kind, form) for kind, form in kinds.items()}
    text = (
        "What a JSON line has beside the fields of its kind; of a CloudEvent the envelope has it."
    )
    return {
        **found,
        "FactLine": {
            "type": "object",
            "description": text,
            "required": ["kind", *_KEYS],
            "properties": {
                "kind": {"type": "string", "enum": [*kinds]},
                "source": {"type": "string", "maxLength": 255, "description": "Your system."},
                "external_id": {
                    "type": "string",
                    "maxLength": 120,
                    "description": "Its key of the fact.",
                },
            },
        },
    }


def _schema_of(kind: str, form: Any) -> Schema:
    properties: dict[str, Schema] = {}
    required = []
    for name, field in form.base_fields.items():
        if name in _KEYS:
            continue
        properties[name] = _field_schema(name, field)
        if name in _ACCOUNTS:
            about = "Your own key of the account, in place of its name."
            properties[name + EXTERNAL_ID] = {"type": "string", "description": about}
        elif field.required and kind != "account":
            required.append(name)
    schema = {
        "type": "object",
        "title": schema_name(kind),
        "description": f"The fields of the kind {kind}.",
        "properties": properties,
    }
    return {**schema, "required": required} if required else schema


def _field_schema(name: str, field: Any) -> Schema:
    if name in _ACCOUNTS:
        return {"type": "string", "description": "Account name or e-mail address."}
    if type(field) is forms.Field:
        return {"type": "boolean"}
    schema: Schema = {"type": "string"}
    choices = [str(code) for code, _name in getattr(field, "choices", []) if code]
    if choices and name != "country":
        schema["enum"] = choices
    elif isinstance(field, forms.DecimalField):
        schema["description"] = 'An amount, like "12.50".'
    elif name.endswith(("_at", "_from", "_to")):
        schema |= {"format": "date-time", "description": "A moment with its zone."}
    elif getattr(field, "max_length", None):
        schema["maxLength"] = field.max_length
    return schema if field.required else {"anyOf": [schema, {"type": "null"}]}
