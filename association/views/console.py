"""The partner's console: who waits for the partner."""

from collections.abc import Callable
from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from association.services.waiting import customers_waiting
from association.views.gate import signed_in
from partners.models import Partner
from partners.services.members import find_member
from partners.services.requests import requests_waiting

PartnerView = Callable[[HttpRequest, Partner], HttpResponse]


def for_members(view: PartnerView) -> Callable[[HttpRequest], HttpResponse]:
    """Let a partner's members in, with their partner; to everyone else the page does not exist."""

    @wraps(view)
    def gated(request: HttpRequest) -> HttpResponse:
        member = find_member(user=signed_in(request))
        if member is None:
            raise Http404
        return view(request, member.partner)

    return gated


@require_safe
@for_members
def overview(request: HttpRequest, partner: Partner) -> HttpResponse:
    """Show the customers who wait for a budget and who asks for an online invitation."""
    context = {
        "own_partner": partner,
        "customers": customers_waiting(partner),
        "requests": requests_waiting(partner),
    }
    return render(request, "association/console_overview.html", context)
