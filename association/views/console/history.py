"""The console's history: every attempt, how far it came, and what can be done about it."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from partners.models import PartnerMember
from partners.views.gate import for_members, show


@require_safe
@for_members
def history(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    """List the attempts, newest first."""
    return show(request, member, "association/console/history.html", {}, section="history")
