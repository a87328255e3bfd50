"""Becoming a partner member: an invited person reads what it means, and answers."""

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import User
from partners.enums import MemberRefusal
from partners.models import MemberInvitation
from partners.refusals import sentence_for
from partners.services.member_invitations import (
    accept_member_invitation,
    decline_member_invitation,
    member_invitations_of,
)
from partners.services.members import find_member, member_terms
from web.answers import posted, posts_only, see_other
from web.refused import Refused
from web.shown_versions import ChangedMeanwhile
from web.versioned_forms import VersionedForm

_TOO_LATE = {MemberRefusal.INVITATION_EXPIRED, MemberRefusal.INVITATION_WITHDRAWN}


@require_safe
def membership(request: HttpRequest) -> HttpResponse:
    return _show(request)


@posts_only("membership")
def accept(request: HttpRequest, member_invitation_id: int) -> HttpResponse:
    user, invitation = _invited(request, member_invitation_id)
    form = VersionedForm(posted(request), shows=member_terms(invitation))
    if not form.is_valid():
        return _show(request, problem=form.non_field_errors()[0], status=400)
    try:
        accept_member_invitation(
            invitation=invitation, by=user, now=timezone.now(), **form.cleaned_data
        )
    except ChangedMeanwhile:
        text = _("The partner has changed this invitation. Read it again before you accept it.")
        return _show(request, problem=text, status=409)
    except Refused as refused:
        return _show_refusal(request, refused)
    request.session.cycle_key()
    # The user is a member from here on, also for the limit on idle time.
    user.refresh_from_db()
    text = _("You act for %(partner)s now.")
    messages.success(request, text % {"partner": invitation.partner.name})
    return see_other("console_overview")


@posts_only("membership")
def decline(request: HttpRequest, member_invitation_id: int) -> HttpResponse:
    user, invitation = _invited(request, member_invitation_id)
    try:
        decline_member_invitation(invitation=invitation, by=user, now=timezone.now())
    except Refused as refused:
        return _show_refusal(request, refused)
    text = _("You have declined the invitation of %(partner)s.")
    messages.success(request, text % {"partner": invitation.partner.name})
    return see_other("membership")


def _invited(request: HttpRequest, member_invitation_id: int) -> tuple[User, MemberInvitation]:
    user = cast("User", request.user)
    return user, get_object_or_404(member_invitations_of(user), pk=member_invitation_id)


def _show_refusal(request: HttpRequest, refused: Refused) -> HttpResponse:
    status = 410 if refused.code in _TOO_LATE else 409
    return _show(request, problem=sentence_for(refused), status=status)


def _show(request: HttpRequest, *, problem: Any = "", status: int = 200) -> HttpResponse:
    user, now = cast("User", request.user), timezone.now()
    invitations = member_invitations_of(user).live(now)
    context = {
        "invitations": [(row, VersionedForm(shows=member_terms(row))) for row in invitations],
        "acts_for": find_member(user=user),
        "refusal": problem,
    }
    return render(request, "partners/membership.html", context, status=status)
