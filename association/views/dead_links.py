"""The pages of links that cannot be followed: one that does not exist, and each way to be dead."""

from django.http import HttpRequest, HttpResponse

from association.views.remembered import answer_alike
from partners.enums import InvitationRefusal
from partners.models import Partner


def dead_link(request: HttpRequest, refusal: InvitationRefusal, partner: Partner) -> HttpResponse:
    """Say why this link cannot be followed now and what to do: 410.

    The page depends on the reason, the language and the partner's display name, on nothing else.
    """
    shown = {"refusal": refusal.value, "partner_name": partner.name}
    return answer_alike(request, "association/dead_link.html", shown=shown, own={}, status=410)


def unknown_link(request: HttpRequest) -> HttpResponse:
    """Say that there is no such link, the same for every wrong address: 404."""
    return answer_alike(request, "association/unknown_link.html", shown={}, own={}, status=404)
