"""Becoming a partner member: an invited person reads what it means, and answers."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import User
from partners.enums import MemberProblem
from partners.models import MemberInvitation
from partners.refusals import sentence_for
from partners.services.member_invitations import (
    accept_member_invitation,
    decline_member_invitation,
    member_invitations_of,
)
from partners.services.members import find_member
from web.answers import posts_only, see_other
from web.refused import Refused
from web.session_life import limit_idle_time

_TOO_LATE = {MemberProblem.INVITATION_EXPIRED, MemberProblem.INVITATION_WITHDRAWN}


@require_safe
def membership(request: HttpRequest) -> HttpResponse:
    return _show(request)


@posts_only("membership")
def accept(request: HttpRequest, member_invitation_id: int) -> HttpResponse:
    user, invitation = _invited(request, member_invitation_id)
    try:
        accept_member_invitation(invitation=invitation, by=user, now=timezone.now())
    except Refused as refused:
        return _show(request, refused)
    request.session.cycle_key()
    limit_idle_time(request.session)
    text = _("You act for %(partner)s now.")
    messages.success(request, text % {"partner": invitation.partner.name})
    return see_other("console_overview")


@posts_only("membership")
def decline(request: HttpRequest, member_invitation_id: int) -> HttpResponse:
    user, invitation = _invited(request, member_invitation_id)
    try:
        decline_member_invitation(invitation=invitation, by=user, now=timezone.now())
    except Refused as refused:
        return _show(request, refused)
    text = _("You have declined the invitation of %(partner)s.")
    messages.success(request, text % {"partner": invitation.partner.name})
    return see_other("membership")


def _invited(request: HttpRequest, member_invitation_id: int) -> tuple[User, MemberInvitation]:
    user = cast("User", request.user)
    return user, get_object_or_404(member_invitations_of(user), pk=member_invitation_id)


def _show(request: HttpRequest, refused: Refused | None = None) -> HttpResponse:
    """Show the page; after a refusal with its reason: 410 when it is too late, otherwise 409."""
    user, now = cast("User", request.user), timezone.now()
    context = {
        "invitations": member_invitations_of(user).live(now),
        "acts_for": find_member(user=user),
        "refusal": sentence_for(refused) if refused else "",
    }
    status = 200
    if refused is not None:
        status = 410 if refused.code in _TOO_LATE else 409
    return render(request, "partners/membership.html", context, status=status)
