"""The console's members, for administrators: who acts for the partner, and as what."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from partners.models import PartnerMember
from partners.views.gate import for_administrators, show


@require_safe
@for_administrators
def members(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    """List who acts for the partner, and who has been asked to."""
    return show(request, member, "partners/members.html", {}, section="members")
