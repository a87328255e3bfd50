"""What waits for an answer: requests for online invitations, and requests to end."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Self

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Query, Router
from pydantic import Field, StrictBool

from association.enums import EndAnswer, Side
from association.models import EndRequest
from association.models.end_requests import EndRequestQuerySet
from association.services.endings import answer_end_request, ask_to_end, withdraw_end_request
from integration.api.answers import Listed, Paging, answer, answer_once, answer_page
from integration.api.callers import ApiRequest, Caller
from integration.api.customers import customer_of
from integration.api.fields import Input, OptionalReason, Output, Reason, YesOrNo
from integration.api.gate import needs
from integration.enums import Scope
from partners.models import InvitationRequest
from partners.services.invitation_requests import (
    answer_invitation_request,
    dismiss_invitation_request,
)
from partners.services.pages import Order
from web.random_ids import key_or_404

invitation_requests = Router(tags=["Invitation requests"])
end_requests = Router(tags=["End requests"])
end_requests_of_customer = Router(tags=["End requests"])


_OPEN = "`true`: those that wait for an answer; `false`: the closed ones; without it: all."


class InvitationRequestFilters(Paging):
    """Which requests."""

    open: YesOrNo | None = Field(None, description=_OPEN)


class InvitationRequestShown(Output):
    """Somebody who followed your link has an account already, and asks for an online invitation."""

    id: str
    address: str
    language: str
    invitation_id: str = Field(description="The link that the person followed.")
    state: str = Field(description="`open`, `answered` or `dismissed`.")
    requested_at: datetime
    sent_invitation_id: str | None

    @classmethod
    def of(cls, row: InvitationRequest) -> Self:
        sent = row.sent_invitation_id
        return cls(
            id=str(row.pk),
            address=row.address,
            language=row.language,
            invitation_id=str(row.invitation_id),
            state=row.state,
            requested_at=row.requested_at,
            sent_invitation_id=None if sent is None else str(sent),
        )


class Dismissal(Input):
    """Why you send no invitation."""

    reason: Reason = Field(description="Your own people read it, not the person who asked.")


@invitation_requests.get(
    "",
    response=Listed[InvitationRequestShown],
    summary="List requests for an invitation",
    **needs(Scope.INVITATIONS_READ),
)
def list_invitation_requests(
    request: ApiRequest, query: Query[InvitationRequestFilters]
) -> HttpResponse:
    """List the requests, the oldest first."""
    rows = request.auth.partner.invitation_requests.all()
    if query.open is not None:
        rows = rows.filter(closed_at__isnull=query.open)
    return answer_page(
        request,
        rows,
        query,
        order=Order("requested_at", descending=False),
        show=InvitationRequestShown.of,
    )


@invitation_requests.get(
    "/{request_id}",
    response=InvitationRequestShown,
    summary="Get a request for an invitation",
    **needs(Scope.INVITATIONS_READ),
)
def get_invitation_request(request: ApiRequest, request_id: str) -> HttpResponse:
    """Get one of the requests, also when it is closed."""
    return answer(InvitationRequestShown.of(_invitation_request_of(request.auth, request_id)))


@invitation_requests.post(
    "/{request_id}/send",
    response=InvitationRequestShown,
    summary="Send the invitation",
    **needs(Scope.INVITATIONS_WRITE),
)
def send(request: ApiRequest, request_id: str) -> HttpResponse:
    """Send an invitation like the followed link, bound to the address.

    A second time sends nothing.
    """
    return _act_on_invitation_request(request, request_id, answer_invitation_request)


@invitation_requests.post(
    "/{request_id}/dismiss",
    response=InvitationRequestShown,
    summary="Dismiss the request",
    **needs(Scope.INVITATIONS_WRITE),
)
def dismiss(request: ApiRequest, request_id: str, body: Dismissal) -> HttpResponse:
    """Close the request without an invitation. The person is not told."""
    service = partial(dismiss_invitation_request, reason=body.reason)
    return _act_on_invitation_request(request, request_id, service)


def _act_on_invitation_request(
    request: ApiRequest, request_id: str, service: Callable[..., object]
) -> HttpResponse:
    """Call the service for the request once, and answer the request as it is then."""
    caller = request.auth

    def act() -> InvitationRequestShown:
        row = _invitation_request_of(caller, request_id)
        service(invitation_request=row, by=caller.user, now=timezone.now())
        return InvitationRequestShown.of(_invitation_request_of(caller, request_id))

    return answer_once(request, act)


def _invitation_request_of(caller: Caller, key: str) -> InvitationRequest:
    return get_object_or_404(caller.partner.invitation_requests.all(), pk=key_or_404(key))


class EndRequestFilters(Paging):
    """Which requests."""

    open: YesOrNo | None = Field(None, description=_OPEN)


class EndRequestShown(Output):
    """One side asks to end an association."""

    id: str
    customer_id: str
    asking_side: Side
    reason: str
    asked_at: datetime
    answer: EndAnswer | None
    answer_reason: str
    answered_at: datetime | None

    @classmethod
    def of(cls, row: EndRequest) -> Self:
        return cls(
            id=str(row.pk),
            customer_id=str(row.association_id),
            asking_side=Side(row.asking_side),
            reason=row.reason,
            asked_at=row.asked_at,
            answer=EndAnswer(row.answer) if row.answer else None,
            answer_reason=row.answer_reason,
            answered_at=row.answered_at,
        )


class NewEndRequest(Input):
    """Why the association shall end."""

    reason: Reason = Field(description="The customer reads it.")


class EndRequestAnswer(Input):
    """Whether you agree."""

    agree: StrictBool
    reason: OptionalReason = Field("", description="The customer reads it.")


@end_requests.get(
    "",
    response=Listed[EndRequestShown],
    summary="List end requests",
    **needs(Scope.CUSTOMERS_READ),
)
def list_end_requests(request: ApiRequest, query: Query[EndRequestFilters]) -> HttpResponse:
    """List the requests of both sides, the oldest first."""
    rows = _end_requests(request.auth)
    if query.open is not None:
        rows = rows.filter(answered_at__isnull=query.open)
    return answer_page(
        request, rows, query, order=Order("asked_at", descending=False), show=EndRequestShown.of
    )


@end_requests.get(
    "/{request_id}",
    response=EndRequestShown,
    summary="Get an end request",
    **needs(Scope.CUSTOMERS_READ),
)
def get_end_request(request: ApiRequest, request_id: str) -> HttpResponse:
    """Get one of the requests, also when it was answered."""
    return answer(EndRequestShown.of(_end_request_of(request.auth, request_id)))


@end_requests_of_customer.post(
    "/{customer_id}/end-requests",
    response={201: EndRequestShown},
    summary="Ask to end",
    **needs(Scope.CUSTOMERS_WRITE),
)
def ask(request: ApiRequest, customer_id: str, body: NewEndRequest) -> HttpResponse:
    """Ask the customer to end the association. What has to be settled first is a 409."""
    caller = request.auth

    def act() -> EndRequestShown:
        made = ask_to_end(
            association=customer_of(caller, customer_id),
            side=Side.PARTNER,
            reason=body.reason,
            by=caller.user,
            now=timezone.now(),
        )
        return EndRequestShown.of(made)

    return answer_once(request, act, status=201)


@end_requests.post(
    "/{request_id}/answer",
    response=EndRequestShown,
    summary="Answer an end request",
    **needs(Scope.CUSTOMERS_WRITE),
)
def answer_it(request: ApiRequest, request_id: str, body: EndRequestAnswer) -> HttpResponse:
    """Agree to the customer's request, which ends the association, or decline it."""
    service = partial(answer_end_request, agree=body.agree, reason=body.reason)
    return _act_on_end_request(request, request_id, service)


@end_requests.post(
    "/{request_id}/withdraw",
    response=EndRequestShown,
    summary="Withdraw an end request",
    **needs(Scope.CUSTOMERS_WRITE),
)
def withdraw(request: ApiRequest, request_id: str) -> HttpResponse:
    """Take back your own request."""
    return _act_on_end_request(request, request_id, withdraw_end_request)


def _act_on_end_request(
    request: ApiRequest, request_id: str, service: Callable[..., EndRequest]
) -> HttpResponse:
    """Call the service for the request once, as the partner, and answer what it returns."""
    caller = request.auth

    def act() -> EndRequestShown:
        row = _end_request_of(caller, request_id)
        done = service(end_request=row, side=Side.PARTNER, by=caller.user, now=timezone.now())
        return EndRequestShown.of(done)

    return answer_once(request, act)


def _end_requests(caller: Caller) -> EndRequestQuerySet:
    return EndRequest.objects.filter(association__partner=caller.partner)


def _end_request_of(caller: Caller, key: str) -> EndRequest:
    rows = _end_requests(caller).select_related("association")
    return get_object_or_404(rows, pk=key_or_404(key))
