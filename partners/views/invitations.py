"""The console's invitations: the list, and one with its link, code, counts and acts."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from partners.models import PartnerMember
from partners.views.gate import for_members, show


@require_safe
@for_members
def invitations(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    """List the invitations, newest first."""
    return show(request, member, "partners/invitations.html", {}, section="invitations")
