"""The partner's console: who waits for the partner."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from association.services.waiting import customers_waiting
from partners.models import PartnerMember
from partners.services.requests import requests_waiting
from partners.views.gate import for_members, show


@require_safe
@for_members
def overview(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    """Show the customers who wait for a budget and who asks for an online invitation."""
    partner = member.partner
    context = {
        "customers": customers_waiting(partner),
        "requests": requests_waiting(partner),
    }
    return show(request, member, "association/console/overview.html", context, section="overview")
