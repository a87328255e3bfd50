"""QR codes of invitations, as pictures."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal

from django.http import HttpResponse
from django.utils import timezone
from ninja import Query, Router
from pydantic import BeforeValidator

from integration.api.callers import ApiRequest
from integration.api.fields import Input
from integration.api.gate import needs
from integration.api.invitations import invitation_of
from integration.enums import Scope
from partners.services.invitation_drafts import check_live
from partners.services.qr import qr_png, qr_svg

router = Router(tags=["Invitations"])


def _as_number(value: Any) -> Any:
    """A query has texts only, and `Literal` compares."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


class Picture(Input):
    """How large a QR code is drawn, in pixels."""

    size: Annotated[Literal[300, 600, 1200], BeforeValidator(_as_number)] = 300


@router.get(
    "/{invitation_id}/qr.svg",
    response=bytes,
    summary="Draw the QR code as SVG",
    **needs(Scope.INVITATIONS_READ),
)
def svg(request: ApiRequest, invitation_id: str) -> HttpResponse:
    """Draw the QR code of a live invitation, to be printed in any size."""
    return _picture(request, invitation_id, qr_svg, "image/svg+xml; charset=utf-8")


@router.get(
    "/{invitation_id}/qr.png",
    response=bytes,
    summary="Draw the QR code as PNG",
    **needs(Scope.INVITATIONS_READ),
)
def png(request: ApiRequest, invitation_id: str, query: Query[Picture]) -> HttpResponse:
    """Draw the QR code of a live invitation, so many pixels wide and high."""
    return _picture(request, invitation_id, partial(qr_png, size=query.size), "image/png")


def _picture(
    request: ApiRequest, invitation_id: str, draw: Callable[..., bytes], content_type: str
) -> HttpResponse:
    """Answer the picture. Of an invitation that cannot be followed there is none."""
    row = invitation_of(request.auth, invitation_id)
    check_live(row, timezone.now())
    return HttpResponse(draw(invitation=row), content_type=content_type)
