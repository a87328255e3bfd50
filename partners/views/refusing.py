"""What a page answers when an act is refused: 409, or 429 when a limit says when to come again."""

from datetime import datetime
from math import ceil

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from partners.models import PartnerMember
from partners.views.gate import show


def as_refusal(response: HttpResponse, refused: Exception, now: datetime) -> HttpResponse:
    """Make the page that shows the refusal a 409; with `again_at` a 429 with Retry-After."""
    again_at: datetime | None = getattr(refused, "again_at", None)
    response.status_code = 409 if again_at is None else 429
    if again_at is not None:
        response["Retry-After"] = str(max(1, ceil((again_at - now).total_seconds())))
    return response


def refusal_page(
    request: HttpRequest,
    member: PartnerMember,
    refused: Exception,
    sentence: str,
    *,
    section: str,
    back_url: str,
) -> HttpResponse:
    """Answer a click that has no form of its own: why not, and the way back."""
    context = {"sentence": sentence, "back_url": back_url}
    page = show(request, member, "partners/refused.html", context, section=section)
    return as_refusal(page, refused, timezone.now())
