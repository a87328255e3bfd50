"""The console's QR codes of an invitation: pictures to download, and sheets to print.

Of an invitation that cannot be followed now there is neither: what is printed stays on walls.
"""

import hashlib
from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe

from partners.models import Invitation, PartnerMember
from partners.refusals import SENTENCES
from partners.services.qr import PNG_SIZES, qr_png, qr_svg
from partners.views.gate import for_members, show
from partners.views.refusing import refusal_page
from partners.views.shared import SECTION, invitation_of, log_shown
from web.downloads import as_attachment, as_inline

# Raise it when the pictures of the same link become others.
DRAWN_AS = 1
SHEETS = ("a4", "a6")


@require_safe
@for_members
def svg(request: HttpRequest, member: PartnerMember, invitation_id: int) -> HttpResponseBase:
    content_type = "image/svg+xml; charset=utf-8"
    return _picture(request, member, invitation_id, qr_svg, ".svg", content_type)


@require_safe
@for_members
def png(request: HttpRequest, member: PartnerMember, invitation_id: int) -> HttpResponseBase:
    size = request.GET.get("size", str(PNG_SIZES[0]))
    if size not in map(str, PNG_SIZES):
        raise Http404
    draw = partial(qr_png, size=int(size))
    return _picture(request, member, invitation_id, draw, f"-{size}.png", "image/png")


@require_safe
@for_members
def sheet(request: HttpRequest, member: PartnerMember, invitation_id: int) -> HttpResponse:
    offer = invitation_of(member, invitation_id)
    size = request.GET.get("size", SHEETS[0])
    if size not in SHEETS:
        raise Http404
    why_not = _why_not(offer)
    if why_not:
        return _refuse(request, member, offer, why_not)
    log_shown(offer, member, what=f"sheet {size}")
    base = urlsplit(settings.PUBLIC_BASE_URL)
    context = {
        "invitation": offer,
        "size": size,
        "host": base.netloc,
        "by_hand": f"{base.netloc}{reverse('enter_by_hand')}",
        "back_url": reverse("console_invitation", args=[offer.pk]),
    }
    return show(request, member, "partners/sheet.html", context, section=SECTION)


def _why_not(invitation: Invitation) -> str:
    """Return the sentence for why the invitation is not handed out, or "" while it is live."""
    refusal = invitation.refusal(timezone.now())
    return "" if refusal is None else str(SENTENCES[refusal.value])


def _refuse(
    request: HttpRequest, member: PartnerMember, invitation: Invitation, why_not: str
) -> HttpResponse:
    back_url = reverse("console_invitation", args=[invitation.pk])
    return refusal_page(request, member, why_not, section=SECTION, back_url=back_url)


def _picture(
    request: HttpRequest,
    member: PartnerMember,
    invitation_id: int,
    draw: Callable[..., bytes],
    ending: str,
    content_type: str,
) -> HttpResponseBase:
    offer = invitation_of(member, invitation_id)
    why_not = _why_not(offer)
    if why_not:
        page = _refuse(request, member, offer, why_not)
        # A page in the place of a picture.
        page.status_code = 409
        return page
    filename = f"invitation-{offer.pk}{ending}"
    drawn_from = f"{DRAWN_AS} {filename} {offer.link}".encode()
    etag = quote_etag(hashlib.sha256(drawn_from).hexdigest()[:32])
    response = get_conditional_response(request, etag=etag)
    if response is None:
        log_shown(offer, member, what=filename)
        response = HttpResponse(draw(invitation=offer), content_type=content_type)
        named = as_attachment if request.GET.get("download") == "1" else as_inline
        response = named(response, filename)
    response["ETag"] = etag
    return response
