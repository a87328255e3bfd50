"""The pages of links that cannot be followed: one that does not exist, and each way to be dead."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from partners.models import InvitationRefusal, Partner


def dead_link(request: HttpRequest, refusal: InvitationRefusal, partner: Partner) -> HttpResponse:
    """Say why this link cannot be followed now and what to do: 410.

    The page depends on the reason, the language and the partner's display name, on nothing else.
    """
    context = {"refusal": refusal.value, "partner_name": partner.name}
    return render(request, "association/dead_link.html", context, status=410)


def unknown_link(request: HttpRequest) -> HttpResponse:
    """Say that there is no such link, the same for every wrong address: 404."""
    return render(request, "association/unknown_link.html", status=404)
