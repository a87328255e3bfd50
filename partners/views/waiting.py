"""What a page answers when a quota is reached: when to come again."""

from datetime import datetime
from math import ceil

from django.http import HttpResponse

from partners.services.invitations import InvitationNotSaved, QuotaReached


def told_to_wait(
    response: HttpResponse, refused: InvitationNotSaved, now: datetime
) -> HttpResponse:
    """Make the page that shows the refusal a 429 with Retry-After, if a quota refused."""
    if isinstance(refused, QuotaReached):
        response.status_code = 429
        response["Retry-After"] = str(ceil((refused.until - now).total_seconds()))
    return response
