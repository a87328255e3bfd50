"""Webhook endpoints by API: making, changing, testing and deleting them."""

from datetime import datetime
from typing import Annotated, Any, Self

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Query, Router
from pydantic import AfterValidator, Field, StrictBool
from pydantic_core import PydanticCustomError

from integration.api.answers import Listed, Paging, answer, answer_once, answer_page
from integration.api.callers import ApiRequest, Caller
from integration.api.fields import Changes, Input, Name, Output
from integration.api.gate import needs
from integration.enums import DisabledReason, Scope
from integration.models import WebhookDelivery, WebhookEndpoint
from integration.refusals import SENTENCES
from integration.services import endpoints as services
from integration.services.addresses import read_url
from partners.enums import EventKind
from partners.services.pages import Order
from web.random_ids import key_or_404
from web.refused import Refused

router = Router(tags=["Webhooks"])
_SCOPE = Scope.WEBHOOKS_WRITE
_MOST_TYPES = len(EventKind)


def _check_url(url: str) -> str:
    try:
        read_url(url)
    except Refused as refused:
        text = str(SENTENCES[refused.code])
        raise PydanticCustomError(refused.code.value, "{text}", {"text": text}) from refused
    return url


def _check_types(types: list[EventKind]) -> list[EventKind]:
    if EventKind.ENDPOINT_TEST in types:
        text = "Tests are sent to every endpoint. Leave endpoint.test out."
        raise PydanticCustomError("event_type", "{text}", {"text": text})
    return list(dict.fromkeys(types))


Url = Annotated[
    str,
    Field(max_length=500, description="An https address with a public host."),
    AfterValidator(_check_url),
]
Types = Annotated[
    list[EventKind],
    Field(max_length=_MOST_TYPES, description="Which events; an empty list means all."),
    AfterValidator(_check_types),
]


class Endpoint(Input):
    """Where webhooks are to be sent."""

    url: Url
    description: Name = ""
    event_types: Types = []


class EndpointChange(Changes):
    """What is to be different; a missing field stays as it is."""

    url: Url = ""
    description: Name = ""
    event_types: Types = []
    is_on: StrictBool = Field(
        True, description="`true` also tries a failing endpoint again at once."
    )


class EndpointShown(Output):
    """Where webhooks are sent, and whether they arrive."""

    id: str
    url: str
    description: str
    event_types: list[EventKind]
    is_on: bool
    disabled_at: datetime | None
    disabled_reason: DisabledReason | None
    failing_since: datetime | None
    next_try_at: datetime | None = Field(description="Of a failing endpoint.")
    created_at: datetime

    @classmethod
    def values_of(cls, row: WebhookEndpoint) -> dict[str, Any]:
        is_failing = row.failing_since is not None and row.is_on
        return {
            "id": str(row.pk),
            "url": row.url,
            "description": row.description,
            "event_types": row.event_types,
            "is_on": row.is_on,
            "disabled_at": row.disabled_at,
            "disabled_reason": row.disabled_reason or None,
            "failing_since": row.failing_since,
            "next_try_at": row.next_try_at if is_failing else None,
            "created_at": row.created_at,
        }

    @classmethod
    def of(cls, row: WebhookEndpoint) -> Self:
        return cls(**cls.values_of(row))


class EndpointWithSecret(EndpointShown):
    """The same with its secret, which is in no other answer."""

    secret: str = Field(description="`whsec_…`, as libraries of Standard Webhooks take it.")


class TestSent(Output):
    """A test event that is on its way."""

    event_id: str = Field(description="The `webhook-id` with which it arrives.")

    @classmethod
    def of(cls, row: WebhookDelivery) -> Self:
        return cls(event_id=str(row.event_id))


class Deleted(Output):
    """What is no longer there."""

    id: str


@router.get("", response=Listed[EndpointShown], summary="List endpoints", **needs(_SCOPE))
def list_endpoints(request: ApiRequest, query: Query[Paging]) -> HttpResponse:
    """List your webhook endpoints, the oldest first."""
    rows = WebhookEndpoint.objects.filter(partner=request.auth.partner)
    order = Order("created_at", descending=False)
    return answer_page(request, rows, query, order=order, show=EndpointShown.of)


@router.post("", response={201: EndpointWithSecret}, summary="Make an endpoint", **needs(_SCOPE))
def create(request: ApiRequest, body: Endpoint) -> HttpResponse:
    """Make an endpoint. It gets the events from now on; the answer has its secret."""
    caller = request.auth

    def act() -> EndpointWithSecret:
        row, secret = services.create_endpoint(
            partner=caller.partner, by=caller.user, now=timezone.now(), **body.model_dump()
        )
        return EndpointWithSecret(secret=secret, **EndpointShown.values_of(row))

    return answer_once(request, act, status=201)


@router.get("/{endpoint_id}", response=EndpointShown, summary="Read an endpoint", **needs(_SCOPE))
def read(request: ApiRequest, endpoint_id: str) -> HttpResponse:
    """Read whether webhooks are sent to an endpoint, and whether they arrive."""
    return answer(EndpointShown.of(_endpoint(request.auth, endpoint_id)))


@router.patch(
    "/{endpoint_id}", response=EndpointShown, summary="Change an endpoint", **needs(_SCOPE)
)
def change(request: ApiRequest, endpoint_id: str, body: EndpointChange) -> HttpResponse:
    """Change an endpoint, or turn it off and on. When it is on again, it gets what it missed."""
    by = request.auth.user

    def act() -> EndpointShown:
        row, now = _endpoint(request.auth, endpoint_id), timezone.now()
        given = body.model_dump(exclude_unset=True)
        is_on = given.pop("is_on", None)
        changed = services.change_endpoint(endpoint=row, changes=given, by=by, now=now)
        if is_on is not None:
            turn = services.turn_on if is_on else services.turn_off
            changed = turn(endpoint=row, by=by, now=now)
        return EndpointShown.of(changed)

    return answer_once(request, act)


@router.post(
    "/{endpoint_id}/delete", response=Deleted, summary="Delete an endpoint", **needs(_SCOPE)
)
def delete(request: ApiRequest, endpoint_id: str) -> HttpResponse:
    """Delete an endpoint with its log. The events stay in the feed."""

    def act() -> Deleted:
        row = _endpoint(request.auth, endpoint_id)
        services.delete_endpoint(endpoint=row, by=request.auth.user, now=timezone.now())
        return Deleted(id=endpoint_id)

    return answer_once(request, act)


@router.post(
    "/{endpoint_id}/rotate",
    response=EndpointWithSecret,
    summary="Rotate the secret",
    **needs(_SCOPE),
)
def rotate(request: ApiRequest, endpoint_id: str) -> HttpResponse:
    """Make a new secret. For 24 hours webhooks are signed with the former one too."""

    def act() -> EndpointWithSecret:
        row = _endpoint(request.auth, endpoint_id)
        secret = services.rotate_secret(endpoint=row, by=request.auth.user, now=timezone.now())
        return EndpointWithSecret(secret=secret, **EndpointShown.values_of(row))

    return answer_once(request, act)


@router.post("/{endpoint_id}/test", response=TestSent, summary="Send a test", **needs(_SCOPE))
def test(request: ApiRequest, endpoint_id: str) -> HttpResponse:
    """Send the event `endpoint.test` to this endpoint once, also while it is off."""

    def act() -> TestSent:
        row = _endpoint(request.auth, endpoint_id)
        return TestSent.of(services.send_test(endpoint=row, now=timezone.now()))

    return answer_once(request, act)


def _endpoint(caller: Caller, endpoint_id: str) -> WebhookEndpoint:
    rows = WebhookEndpoint.objects.filter(partner=caller.partner)
    return get_object_or_404(rows, pk=key_or_404(endpoint_id))
