"""Who may come to a partner's console: its members."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from partners.services.members import find_member

MemberView = Callable[..., HttpResponse]


def for_members(view: MemberView) -> MemberView:
    """Hand the view the membership of whoever is signed in; for others the page does not exist.

    The view is called with the request, the `PartnerMember` (its partner and user loaded), and
    what stands in the address.
    """

    @wraps(view)
    def gated(request: HttpRequest, **parameters: Any) -> HttpResponse:
        member = find_member(user=request.user)
        if member is None:
            raise Http404
        return view(request, member, **parameters)

    return gated
