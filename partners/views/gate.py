"""Who may come to a partner's console, and what all its pages share."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.issuer_logins import passes_second_factor
from audit.services import acting_for
from partners.models import PartnerMember
from partners.services.members import find_member

MemberView = Callable[..., HttpResponseBase]


def for_members(view: MemberView) -> MemberView:
    """Hand the view the user's membership; for others the page does not exist.

    The view is called with the request, the `PartnerMember` (its partner and user loaded), and
    the parameters of the URL. Moments are shown and typed in the partner's time zone, and what
    the view records is the partner's activity. Outside the demo an administrator whose log-in had
    no second step is led to where one is set up, and no further.
    """

    @wraps(view)
    def gated(request: HttpRequest, **parameters: Any) -> HttpResponseBase:
        member = find_member(user=request.user)
        if member is None:
            raise Http404
        needs_second_factor = member.is_administrator and not settings.DEMO
        if needs_second_factor and not passes_second_factor(request, member.user):
            return redirect("second_factor")
        acting = acting_for(member.partner_id, member.user)
        with timezone.override(member.partner.zone), acting:
            return view(request, member, **parameters)

    return gated


def for_administrators(view: MemberView) -> MemberView:
    """As `for_members()`, and for managers the page does not exist either."""

    @for_members
    @wraps(view)
    def gated(request: HttpRequest, member: PartnerMember, **parameters: Any) -> HttpResponseBase:
        if not member.is_administrator:
            raise Http404
        return view(request, member, **parameters)

    return gated


def show(
    request: HttpRequest,
    member: PartnerMember,
    template: str,
    context: Mapping[str, Any],
    *,
    section: str,
    status: int = 200,
) -> HttpResponse:
    """Render a page of the console; `section` is the part of the navigation it belongs to."""
    shared = {"member": member, "section": section}
    return render(request, template, {**shared, **context}, status=status)
