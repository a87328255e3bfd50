"""Problems: what a call is answered that is not done, as RFC 9457 describes it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from math import ceil
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone

from integration.enums import CallProblem
from integration.refusals import OF_CALLS, sentence_for
from web.limits import LimitReached
from web.origin import current_origin
from web.refused import Refused

CONTENT_TYPE = "application/problem+json"
# A batch can have more wrong fields than a program can use.
MOST_FIELDS = 1_000
# The codes of errors that other parts of the site answer.
_PAGES: dict[int, CallProblem] = {
    400: CallProblem.UNREADABLE,
    404: CallProblem.NOT_FOUND,
    405: CallProblem.METHOD_NOT_ALLOWED,
    411: CallProblem.LENGTH_REQUIRED,
    413: CallProblem.TOO_LARGE,
    415: CallProblem.CODING_REFUSED,
    500: CallProblem.FAILED,
    503: CallProblem.UNAVAILABLE,
}


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field; `field` is its path in the body or query: `items.3.label`."""

    field: str
    code: str
    message: str


class Problem(Exception):
    """A call is not done: its status, code and sentence."""

    def __init__(
        self,
        status: int,
        code: Enum | str,
        detail: str,
        *,
        fields: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code.value if isinstance(code, Enum) else code
        self.detail = detail
        self.fields = fields
        self.headers = headers or {}
        self.more = more


def answer_of(problem: Problem) -> HttpResponse:
    """Return the answer; its `type` leads to the page that lists all codes."""
    content: dict[str, Any] = {
        "type": f"{settings.PUBLIC_BASE_URL}/api/#{problem.code}",
        "title": problem.code.replace("_", " ").capitalize(),
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        "request_id": current_origin().request_id,
        **problem.more,
    }
    if problem.fields:
        content["fields"] = [
            {"field": row.field, "code": row.code, "message": row.message}
            for row in problem.fields[:MOST_FIELDS]
        ]
    if len(problem.fields) > MOST_FIELDS:
        content["fields_left_out"] = len(problem.fields) - MOST_FIELDS
    return HttpResponse(
        json.dumps(content, cls=DjangoJSONEncoder),
        status=problem.status,
        content_type=CONTENT_TYPE,
        headers=problem.headers,
    )


def problem_of(refused: Refused) -> Problem:
    """Return the problem for what a service or limit refused: 409, or 429 with Retry-After."""
    if isinstance(refused, LimitReached):
        text = f"Too many calls. Try again in {refused.seconds} seconds."
        headers = {"Retry-After": str(refused.seconds)}
        return Problem(429, refused.code, text, headers=headers, again_at=refused.again_at)
    detail, more = sentence_for(refused), _more_of(refused)
    if refused.again_at is None:
        return Problem(409, refused.code, detail, **more)
    headers = {"Retry-After": str(_seconds_until(refused.again_at))}
    return Problem(429, refused.code, detail, headers=headers, again_at=refused.again_at, **more)


def not_found(text: str = "There is no such object.") -> Problem:
    return Problem(404, CallProblem.NOT_FOUND, text)


def as_problem(page: HttpResponseBase) -> HttpResponseBase:
    """Return a problem in place of an error page that was made outside of the API's own code."""
    if page.headers.get("Content-Type") == CONTENT_TYPE:
        return page
    code = _PAGES.get(page.status_code, CallProblem.FAILED)
    kept = {name: page.headers[name] for name in ("Allow", "Retry-After") if name in page.headers}
    return answer_of(Problem(page.status_code, code, str(OF_CALLS[code]), headers=kept))


def _more_of(refused: Refused) -> dict[str, Any]:
    """Return which of many was refused, or what has to be settled first, if a service says it."""
    more: dict[str, Any] = {}
    if "item" in refused.context:
        more["item"] = refused.context["item"]
    if "obstacles" in refused.context:
        more["obstacles"] = [str(obstacle.code) for obstacle in refused.context["obstacles"]]
    return more


def _seconds_until(moment: datetime) -> int:
    return max(1, ceil((moment - timezone.now()).total_seconds()))
