"""The API: its operations, what they answer on errors, and its OpenAPI document."""

import re
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.operation import Operation

from integration.api import (
    customers,
    eligibility,
    events,
    invitations,
    qr_codes,
    requests,
    webhooks,
)
from integration.api.gate import as_caller
from integration.api.parsing import StrictParser
from integration.api.problems import FieldProblem, Problem, answer_of, not_found, problem_of
from integration.api.provider import accounts, associations, batches, partners, permissions
from integration.api.provider import eligibility as provider_eligibility
from integration.api.provider import events as provider_events
from integration.enums import CallProblem
from web.refused import Refused

# Our own sentences for what pydantic finds, the same as the forms have. `ctx` fills them in.
_SENTENCES = {
    "missing": "This field is required.",
    "extra_forbidden": "Unknown field.",
    "string_type": "Write text in quotes.",
    "bool_type": "Write true or false.",
    "int_type": "Write a whole number.",
    "int_parsing": "Write a whole number.",
    "enum": "Write one of: {expected}.",
    "literal_error": "Write one of: {expected}.",
    "string_too_short": "Ensure this value has at least {min_length} characters.",
    "string_too_long": "Ensure this value has at most {max_length} characters.",
    "string_pattern_mismatch": "Ensure this value has the form {pattern}.",
    "greater_than_equal": "Ensure this value is {ge} or more.",
    "less_than_equal": "Ensure this value is {le} or less.",
    "list_type": "Write a list.",
    "dict_type": "Write a JSON object.",
    "model_type": "Write a JSON object.",
    "model_attributes_type": "Write a JSON object.",
    "too_short": "Write {min_length} items or more.",
    "too_long": "Write {max_length} items or less.",
}


class NamingApi(NinjaAPI):
    """Its operations are named after their module and function."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        view = operation.view_func
        module = view.__module__.removeprefix("integration.api.").replace(".", "_")
        return f"{module}_{view.__name__}"


api = NamingApi(
    title="Partner Association",
    version="1.0.0",
    description="Invite customers, follow what becomes of them, set budgets and unfreeze.",
    urls_namespace="api",
    docs_url=None,
    openapi_url=None,
    parser=StrictParser(),
)
api.add_decorator(as_caller)
api.add_router("/invitations", invitations.router)
api.add_router("/invitations", qr_codes.router)
api.add_router("/invitations", eligibility.router)
api.add_router("/customers", customers.router)
api.add_router("/customers", requests.end_requests_of_customer)
api.add_router("/invitation-requests", requests.invitation_requests)
api.add_router("/end-requests", requests.end_requests)
api.add_router("/events", events.router)
api.add_router("/webhooks", webhooks.router)
api.add_router("/provider/partners", partners.router)
api.add_router("/provider/associations", associations.router)
api.add_router("/provider/events", provider_events.router)
api.add_router("/provider/accounts", accounts.router)
api.add_router("/provider/eligibility", provider_eligibility.router)
api.add_router("/provider/permissions", permissions.router)
api.add_router("/provider/facts", batches.facts)
api.add_router("/provider/spending", batches.spending)


@api.exception_handler(Problem)
def answer_problem(_request: HttpRequest, problem: Problem) -> HttpResponse:
    return answer_of(problem)


@api.exception_handler(Refused)
def answer_refusal(_request: HttpRequest, refused: Refused) -> HttpResponse:
    return answer_of(problem_of(refused))


@api.exception_handler(Http404)
def answer_missing(_request: HttpRequest, _error: Http404) -> HttpResponse:
    return answer_of(not_found())


@api.exception_handler(ValidationError)
def answer_invalid(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    fields = [_field_problem(row) for row in error.errors]
    names = ", ".join(dict.fromkeys(field.field for field in fields if field.field))
    text = f"Look at: {names[:500]}." if names else fields[0].message
    return answer_of(Problem(422, CallProblem.FIELDS_INVALID, text, fields=fields))


@api.exception_handler(HttpError)
def answer_unreadable(_request: HttpRequest, error: HttpError) -> HttpResponse:
    """Answer the problem of `StrictParser`, which django-ninja wraps."""
    if isinstance(error.__cause__, Problem):
        return answer_of(error.__cause__)
    return answer_of(Problem(error.status_code, CallProblem.BODY_NOT_JSON, error.message))


def _field_problem(error: dict[str, Any]) -> FieldProblem:
    # First where it was sent, and of a body the name of the operation's parameter.
    begins = 2 if error["loc"][0] == "body" else 1
    path = [str(part) for part in error["loc"][begins:]]
    if error["loc"] == ("query", "query"):
        # About the parameters together.
        path = []
    own = error.get("ctx", {}).get("field")
    path += [own] if own else []
    return FieldProblem(".".join(path), _code_of(error), _sentence_of(error, path))


def _code_of(error: dict[str, Any]) -> str:
    """Return pydantic's code, but one for unknown fields and parameters everywhere."""
    code: str = error["type"]
    return "unknown" if code == "extra_forbidden" else code


def _sentence_of(error: dict[str, Any], path: list[str]) -> str:
    code, details = error["type"], error.get("ctx", {})
    if code == "missing" and not path:
        return "Send a body of JSON."
    if code == "string_too_short" and details["min_length"] == 1:
        return _SENTENCES["missing"]
    if "expected" in details:
        # Without the quotes and the "or" that pydantic puts between them.
        details = {"expected": ", ".join(re.findall(r"'([^']*)'", details["expected"]))}
    sentence = _SENTENCES.get(code)
    return error["msg"] if sentence is None else sentence.format(**details)
