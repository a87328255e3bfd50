"""The answer to an action that a service refuses: 409, or 429 when it is possible again later."""

from datetime import datetime
from math import ceil
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from partners.models import PartnerMember
from partners.views.gate import show


def as_refusal(
    response: HttpResponse, again_at: datetime | None = None, *, now: datetime | None = None
) -> HttpResponse:
    """Make the page that shows the refusal a 409; with `again_at` a 429 with Retry-After."""
    response.status_code = 409 if again_at is None else 429
    if again_at is not None:
        seconds = (again_at - (now or timezone.now())).total_seconds()
        response["Retry-After"] = str(max(1, ceil(seconds)))
    return response


def refusal_page(
    request: HttpRequest,
    member: PartnerMember,
    sentence: str,
    *,
    section: str,
    back_url: str,
    again_at: datetime | None = None,
    **context: Any,
) -> HttpResponse:
    """Show why something is not possible, and the way back; a GET of it is 200.

    `context` may hold `account_name` and `budget_url` for `partners/refused.html`.
    """
    context = {"sentence": sentence, "back_url": back_url, **context}
    page = show(request, member, "partners/refused.html", context, section=section)
    return as_refusal(page, again_at) if request.method == "POST" else page
