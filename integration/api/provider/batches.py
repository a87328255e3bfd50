"""Batches of facts and spending: JSON lines or CloudEvents, all or nothing."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from ninja import Query, Router
from pydantic import Field

from accounts.services.fact_lines import Fault, ImportReport, Line, LineError
from accounts.services.facts_import import ACCOUNT_NOT_ALLOWED, import_facts
from association.services.spending_records import record_spending
from integration.api.answers import answer, answer_once
from integration.api.callers import ProviderRequest
from integration.api.fields import Input, Output, YesOrNo
from integration.api.gate import provider_needs, reads_batch, scope_missing
from integration.api.parsing import parse_json
from integration.api.problems import FieldProblem, Problem
from integration.api.provider.fact_schemas import names_of_facts, names_of_spending
from integration.enums import CallProblem, ProviderScope
from web.moments import read_moment

facts = Router(tags=["Provider: facts"])
spending = Router(tags=["Provider: facts"])

MOST_ITEMS = 1_000
JSON_LINES = "application/x-ndjson"
CLOUDEVENTS = "application/cloudevents-batch+json"
# CloudEvents 1.0: attributes of the envelope that are read or may be there; others are extensions.
_REQUIRED = ("specversion", "id", "source", "type")
_OPTIONAL = ("subject", "time", "datacontenttype", "dataschema", "data")
_EXTENSION = re.compile(r"[a-z0-9]+")
_JSON_TYPE = re.compile(r"application/([a-z0-9.+-]+\+)?json( *;.*)?", re.IGNORECASE)
# What the envelope names itself, and the field of a line that it becomes.
_ENVELOPE = {"source": "source", "external_id": "id", "kind": "type"}
# Faults of a whole line that are about its kind.
_ABOUT_KIND = frozenset({"unknown_kind", "spending", "not_spending"})
# Where the sentence for files names a command, that for calls names an address.
_SENTENCES = {
    "spending": "Spending counts against budgets: send it to /api/v1/provider/spending.",
    "not_spending": "Only spending is recorded here: send facts to /api/v1/provider/facts.",
}


def _body_of(names: list[str]) -> dict[str, Any]:
    """Return what the document says of the body; `names` are the schemas of the kinds."""
    listed = ", ".join(names)
    kinds = [{"$ref": f"#/components/schemas/{name}"} for name in names]
    text = f"One JSON object in each line: the fields of FactLine and those of its kind ({listed})."
    return {
        "required": True,
        "description": f"Up to {MOST_ITEMS:,} items: one JSON object in each line, or a CloudEvents"
        " batch with the fields of the kind as data.",
        "content": {
            JSON_LINES: {"schema": {"type": "string", "description": text}},
            CLOUDEVENTS: {
                "schema": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": MOST_ITEMS,
                    "items": {
                        "type": "object",
                        "required": [*_REQUIRED, "data"],
                        "properties": {
                            "specversion": {"type": "string", "enum": ["1.0"]},
                            "id": {"type": "string", "minLength": 1, "maxLength": 120},
                            "source": {"type": "string", "minLength": 1, "maxLength": 255},
                            "type": {
                                "type": "string",
                                "minLength": 1,
                                "description": "Its last part is the kind.",
                            },
                            "time": {"type": ["string", "null"], "format": "date-time"},
                            "data": {"anyOf": kinds},
                        },
                    },
                }
            },
        },
    }


class BatchOptions(Input):
    """How to take the batch."""

    dry_run: YesOrNo = Field(False, description="`true`: validate and count; write nothing.")


class BatchDone(Output):
    """What was done, or with `dry_run` what would be."""

    dry_run: bool
    items: int
    created: int
    updated: int
    unchanged: int = Field(description="Known and equal, or sent twice in this batch.")


@dataclass(frozen=True, slots=True)
class _Batch:
    """The items, and how an answer names the fields of one."""

    lines: list[Line]
    path_of: Callable[[int, Fault], str]
    # What is wrong with envelopes; the lines of these events are empty, and so are passed over.
    errors: list[LineError] = field(default_factory=list)


def _needs(scope: ProviderScope, names: list[str]) -> dict[str, Any]:
    needed = provider_needs(scope)
    needed["openapi_extra"]["requestBody"] = _body_of(names)
    return needed


@facts.post(
    "",
    response=BatchDone,
    summary="Report facts",
    **_needs(ProviderScope.FACTS_WRITE, names_of_facts()),
)
@reads_batch
def report_facts(request: ProviderRequest, query: Query[BatchOptions]) -> HttpResponse:
    """Report up to 1,000 facts about accounts, all or none of them.

    A fact is known by its source and external id: sent again it changes nothing, sent with other
    values it is corrected. The kind `account` changes accounts themselves, for which the scope
    `provider:accounts:write` is needed too.
    """
    may_change_accounts = ProviderScope.ACCOUNTS_WRITE in request.auth.scopes
    return _load(request, query, partial(import_facts, may_change_accounts=may_change_accounts))


@spending.post(
    "",
    response=BatchDone,
    summary="Report spending",
    **_needs(ProviderScope.SPENDING_WRITE, names_of_spending()),
)
@reads_batch
def report_spending(request: ProviderRequest, query: Query[BatchOptions]) -> HttpResponse:
    """Report up to 1,000 amounts that accounts have spent, all or none of them.

    Budgets count them: partners and customers are told, and accounts whose budget is used up are
    frozen, in the same transaction.
    """
    return _load(request, query, record_spending)


def _load(
    request: ProviderRequest, options: BatchOptions, load: Callable[..., ImportReport]
) -> HttpResponse:
    batch = _read(request)

    def act() -> BatchDone:
        report = load(
            lines=batch.lines,
            now=timezone.now(),
            dry_run=options.dry_run or bool(batch.errors),
            by=request.auth.user,
        )
        errors = sorted([*batch.errors, *report.errors], key=lambda error: error.line)
        if any(fault.code == ACCOUNT_NOT_ALLOWED for error in errors for fault in error.faults):
            is_token = bool(request.auth.api_key.subject)
            raise scope_missing(ProviderScope.ACCOUNTS_WRITE, is_token=is_token)
        if errors:
            raise _problem(errors, batch.path_of)
        return BatchDone(
            dry_run=options.dry_run,
            items=report.lines,
            created=report.created,
            updated=report.updated,
            unchanged=report.unchanged,
        )

    # A try writes no row: its answer is not kept either.
    return answer(act()) if options.dry_run else answer_once(request, act)


def _problem(errors: list[LineError], path_of: Callable[[int, Fault], str]) -> Problem:
    fields = [
        FieldProblem(path_of(error.line, fault), fault.code, _SENTENCES.get(fault.code, fault.text))
        for error in errors
        for fault in error.faults
    ]
    names = ", ".join(dict.fromkeys(field.field for field in fields))
    text = f"Nothing was written. Look at: {names[:500]}."
    return Problem(422, CallProblem.FIELDS_INVALID, text, fields=fields)


def _read(request: ProviderRequest) -> _Batch:
    """Return the items of the body. Raises Problem."""
    if request.content_type == JSON_LINES:
        lines: list[Line] = list(request.body.split(b"\n"))
        number = sum(1 for line in lines if isinstance(line, bytes) and line.strip())
        _check_number(number, "lines")
        return _Batch(lines, _path_of_line)
    if request.content_type == CLOUDEVENTS:
        events = parse_json(request.body)
        if not isinstance(events, list):
            text = "The body is a JSON array of CloudEvents."
            raise _about_all("items", "not_a_list", text)
        _check_number(len(events), "items")
        return _Batch([_line_of(event) for event in events], _path_of_event, _errors_of(events))
    text = f"Send the body as {JSON_LINES} or {CLOUDEVENTS}, and name it in Content-Type."
    raise Problem(415, CallProblem.CONTENT_TYPE_NOT_BATCH, text)


def _check_number(number: int, field: str) -> None:
    if not 1 <= number <= MOST_ITEMS:
        text = f"Send 1 to {MOST_ITEMS:,} items in one call; these are {number:,}."
        raise _about_all(field, "number", text)


def _about_all(field: str, code: str, text: str) -> Problem:
    fields = [FieldProblem(field, code, text)]
    return Problem(422, CallProblem.FIELDS_INVALID, text, fields=fields)


def _path_of_line(number: int, fault: Fault) -> str:
    """Return the line, from 1 as `import_facts` counts them, and its field."""
    return ".".join(filter(None, ["lines", str(number), _field_of(fault)]))


def _path_of_event(number: int, fault: Fault) -> str:
    """Return the place of the event in the array, from 0, and its attribute or field."""
    name = _field_of(fault)
    path = ["items", str(number - 1)]
    if fault.code == "cloudevent":
        path += [name] if name else []
    elif name:
        path += [_ENVELOPE[name]] if name in _ENVELOPE else ["data", name]
    return ".".join(path)


def _field_of(fault: Fault) -> str:
    return "kind" if fault.code in _ABOUT_KIND else fault.field


def _errors_of(events: list[Any]) -> list[LineError]:
    """Return what is wrong with the envelopes, by the places of the events from 1."""
    return [
        LineError(place, tuple(Fault(name, "cloudevent", text) for name, text in faults))
        for place, event in enumerate(events, 1)
        if (faults := _faults_of(event))
    ]


def _line_of(event: Any) -> Line:
    """Return the event as a line, an empty one if its envelope is wrong."""
    if _faults_of(event):
        return b""
    return {
        **event["data"],
        # The last part of a name like com.example.billing.bill.
        "kind": event["type"].rpartition(".")[2],
        "source": event["source"],
        "external_id": event["id"],
    }


def _is_moment(text: str) -> bool:
    try:
        read_moment(text)
    except ValueError:
        return False
    return True


def _faults_of(event: Any) -> list[tuple[str, str]]:
    """Return what is wrong with the envelope of an event, by its attribute."""
    if not isinstance(event, Mapping):
        return [("", "Send a CloudEvent, which is a JSON object.")]
    faults = [
        (name, "Send a text that is not empty.")
        for name in _REQUIRED
        if not isinstance(event.get(name), str) or not event[name]
    ]
    if event.get("specversion") not in (None, "1.0"):
        faults.append(("specversion", "Send 1.0."))
    faults += [
        (name[:40], "An attribute has small letters and digits only, and a plain value.")
        for name, value in event.items()
        if name not in (*_REQUIRED, *_OPTIONAL)
        and (not _EXTENSION.fullmatch(name) or isinstance(value, dict | list))
    ]
    faults += [
        (name, "Send a text.")
        for name in _OPTIONAL
        if name != "data" and not isinstance(event.get(name), str | None)
    ]
    moment = event.get("time")
    if isinstance(moment, str) and not _is_moment(moment):
        faults.append(("time", 'Send a moment with its zone, like "2026-01-31T09:00:00Z".'))
    kind = event.get("datacontenttype")
    if isinstance(kind, str) and not _JSON_TYPE.fullmatch(kind):
        faults.append(("datacontenttype", "Send the data as JSON."))
    data = event.get("data")
    if not isinstance(data, Mapping):
        return [*faults, ("data", "Send the fields as a JSON object.")]
    text = "The attribute %s of the event says it."
    faults += [(f"data.{name}", text % _ENVELOPE[name]) for name in data if name in _ENVELOPE]
    return faults
