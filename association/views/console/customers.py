"""The console's customers: the list, and one with all that the partner may know and do."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from partners.models import PartnerMember
from partners.views.gate import for_members, show


@require_safe
@for_members
def customers(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    """List the customers, newest first."""
    return show(request, member, "association/console/customers.html", {}, section="customers")
