"""Answers of operations: one object, a page of a list, and changes that are done once."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.conf import settings
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from pydantic import BaseModel, Field

from integration.api.callers import AnyCaller, AnyRequest
from integration.api.fields import Input, Output
from integration.api.problems import Problem
from integration.enums import CallProblem
from integration.models import LONGEST_IDEMPOTENCY_KEY
from integration.services.answers import Answer, KeyUsedForOtherCall, act_once, hash_of_call
from partners.services.pages import Order, page_of, place_of
from web.transactions import whole_transaction

Row = TypeVar("Row", bound=models.Model)
Shown = TypeVar("Shown", bound=BaseModel)

JSON = "application/json; charset=utf-8"
IDEMPOTENCY_KEY = "Idempotency-Key"
_KEY = re.compile(rf"[\x21-\x7e]{{1,{LONGEST_IDEMPOTENCY_KEY}}}")
LARGEST_PAGE = 100


class Paging(Input):
    """Which page of a list."""

    limit: int = Field(25, ge=1, le=LARGEST_PAGE, description="How many rows at most.")
    after: str = Field("", max_length=500, description="The cursor in `next` of the page before.")


class Listed(Output, Generic[Shown]):
    """A page of a list. `next` is the address of the next page, or null on the last one."""

    items: list[Shown]
    next: str | None


def answer(shown: BaseModel, status: int = 200) -> HttpResponse:
    return HttpResponse(shown.model_dump_json(), status=status, content_type=JSON)


def answer_once(
    request: AnyRequest, act: Callable[[], BaseModel], *, status: int = 200
) -> HttpResponse:
    """Run `act` in one transaction, once per Idempotency-Key, and answer what it returns.

    A program that sends tokens is stored in the same transaction, when it acts for the first time.
    """
    return answer_once_with_status(request, lambda: (status, act()))


def answer_once_with_status(
    request: AnyRequest, act: Callable[[], tuple[int, BaseModel]]
) -> HttpResponse:
    """Do the same where `act` says the status too."""

    def act_and_render() -> Answer:
        status, shown = act()
        return Answer(status, shown.model_dump_json())

    key = request.headers.get(IDEMPOTENCY_KEY)
    act_with_key = (
        act_and_render if key is None else partial(_act_once, request, key, act_and_render)
    )
    if key is None or not request.auth.api_key.is_stored:
        act_stored = partial(_act_stored, request, request.auth, act_with_key)
        done = whole_transaction(transaction.atomic(act_stored))()
    else:
        done = act_with_key()
    response = HttpResponse(done.body, status=done.status, content_type=JSON)
    if done.is_repeated:
        response["Idempotent-Replayed"] = "true"
    return response


def _act_stored(request: Any, caller: AnyCaller, act: Callable[[], Answer]) -> Answer:
    # From the caller without a row, because a second try begins without it.
    request.auth = caller.stored(timezone.now())
    return act()


def _act_once(request: AnyRequest, key: str, act: Callable[[], Answer]) -> Answer:
    if not _KEY.fullmatch(key):
        text = f"Send 1 to {LONGEST_IDEMPOTENCY_KEY} visible ASCII characters."
        raise Problem(400, CallProblem.IDEMPOTENCY_KEY_INVALID, text)
    try:
        return act_once(
            api_key=request.auth.api_key,
            idempotency_key=key,
            request_hash=hash_of_call(
                str(request.method).encode(), request.get_full_path().encode(), request.body
            ),
            act=act,
            now=timezone.now(),
        )
    except KeyUsedForOtherCall as used:
        text = "This Idempotency-Key was used for another call. Use a new one for each change."
        raise Problem(422, CallProblem.IDEMPOTENCY_KEY_USED, text) from used


def answer_page(
    request: AnyRequest,
    rows: "QuerySet[Row, Any]",
    paging: Paging,
    *,
    order: Order,
    show: Callable[[Row], BaseModel],
) -> HttpResponse:
    """Answer a page of the rows in this order; the next one begins after its last row."""
    return answer_page_together(
        request, rows, paging, order=order, show=lambda found: [show(row) for row in found]
    )


def answer_page_together(
    request: AnyRequest,
    rows: "QuerySet[Row, Any]",
    paging: Paging,
    *,
    order: Order,
    show: Callable[[list[Row]], Sequence[BaseModel]],
) -> HttpResponse:
    """Do the same where what is shown of a page is read for its rows together."""
    page = page_of(
        rows, order=order, after=_place(request, rows, order, paging.after), size=paging.limit
    )
    cursor = page.after and cursor_of(request.path_info, page.after)
    return answer_listed(request, show(page.rows), {"after": cursor} if cursor else None)


def answer_listed(
    request: AnyRequest, items: Sequence[BaseModel], following: Mapping[str, Any] | None
) -> HttpResponse:
    """Answer rows; `following` has the parameters that differ on the next page, if there is one."""
    address = None
    if following is not None:
        query = urlencode({**request.GET.dict(), **following})
        address = f"{settings.PUBLIC_BASE_URL}{request.path_info}?{query}"
    response = answer(Listed[Any](items=list(items), next=address))
    if address is not None:
        response["Link"] = f'<{address}>; rel="next"'
    return response


def _place(request: AnyRequest, rows: "QuerySet[Any]", order: Order, cursor: str) -> str:
    """Return the place that the cursor names in this list. Raises Problem for any other text."""
    if not cursor:
        return ""
    try:
        path, _between, place = urlsafe_b64decode(cursor.encode()).decode().partition(" ")
    except ValueError:
        path = place = ""
    if path != request.path_info or place_of(rows.model, order, place) is None:
        text = "This cursor belongs to no page of this list. Begin without it."
        raise Problem(422, CallProblem.CURSOR_UNKNOWN, text)
    return place


def cursor_of(path: str, place: str) -> str:
    """Return the text that names a place of the list at this path; see `pages.place_of()`."""
    return urlsafe_b64encode(f"{path} {place}".encode()).decode()
