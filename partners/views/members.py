"""The console's members, for administrators: who acts for the partner, and as what."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partners.enums import PartnerRole
from partners.forms import InviteMemberForm, MemberForm, MembersForm
from partners.models import MemberInvitation, PartnerMember
from partners.models.members import PartnerMemberQuerySet
from partners.refusals import sentence_for
from partners.services.member_invitations import invite_member, withdraw_member_invitation
from partners.services.members import (
    MOST_COUNTED,
    change_member,
    remove_member,
    with_customer_counts,
)
from partners.services.pages import Order, counted
from partners.views.gate import for_administrators, show
from partners.views.lists import filters_of, listing
from partners.views.refusing import as_refusal, refusal_page
from partners.views.shared import status_of
from web.answers import posted, see_other
from web.form_keys import answer_once
from web.refused import Refused

SECTION = "members"
_READ_AND_POST = require_http_methods(["GET", "HEAD", "POST"])
_ORDER = Order("created_at", descending=False)
# Open invitations on the page; a partner invites fifty people a day, and they expire in seven.
_MOST_INVITATIONS = 400


@require_safe
@for_administrators
def members(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    """List who acts for the partner, the longest first, and who has been asked to."""
    form, now = MembersForm(request.GET), timezone.now()
    found = _members_of(member).search(**filters_of(form))
    invitations = member.partner.member_invitations.open().order_by("-invited_at", "-pk")
    shown = listing(request, form, with_customer_counts(found), order=_ORDER)
    for row in shown.page.rows:
        row.customers_counted = counted(row.customer_count, MOST_COUNTED)
    context = {
        "listing": shown,
        "invitations": [(row, row.is_expired(now)) for row in invitations[:_MOST_INVITATIONS]],
    }
    return show(request, member, "partners/members.html", context, section=SECTION)


@_READ_AND_POST
@for_administrators
def invite(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    """Invite someone by e-mail to act for the partner."""
    form = InviteMemberForm(posted(request))
    if not form.is_valid():
        return _invite_page(request, member, form, status=status_of(form))
    try:
        return answer_once(request, "invite_member", _inviting(request, member, form.cleaned_data))
    except Refused as refused:
        form.add_error("address", sentence_for(refused))
        return as_refusal(_invite_page(request, member, form), refused.again_at)


@_READ_AND_POST
@for_administrators
def edit(request: HttpRequest, member: PartnerMember, member_id: int) -> HttpResponse:
    """Change a member's role and right, from their next request on."""
    theirs = get_object_or_404(_members_of(member), pk=member_id)
    initial = {"role": theirs.role, "may_see_addresses": theirs.may_see_addresses}
    form = MemberForm(posted(request), initial=initial)
    if not form.is_valid():
        return _edit_page(request, member, form, theirs, status=status_of(form))
    try:
        change_member(member=theirs, by=member.user, now=timezone.now(), **form.cleaned_data)
    except Refused as refused:
        form.add_error("role", sentence_for(refused))
        return as_refusal(_edit_page(request, member, form, theirs), refused.again_at)
    messages.success(request, _("Saved. It holds from this moment."))
    stays = theirs != member or form.cleaned_data["role"] == PartnerRole.ADMINISTRATOR
    return see_other("console_members" if stays else "console_overview")


@_READ_AND_POST
@for_administrators
def remove(request: HttpRequest, member: PartnerMember, member_id: int) -> HttpResponse:
    """Show what removing a member means; a POST removes them."""
    if request.method != "POST":
        return _remove_page(request, member, member_id)

    def remove_them() -> str:
        theirs = get_object_or_404(_members_of(member), pk=member_id)
        remove_member(member=theirs, by=member.user, now=timezone.now())
        text = _("%(name)s is no longer a member.")
        messages.success(request, text % {"name": theirs.user.email})
        return reverse("account_home" if theirs.user == member.user else "console_members")

    try:
        return answer_once(request, f"remove_member:{member_id}", remove_them)
    except Refused as refused:
        page = _remove_page(request, member, member_id, sentence_for(refused))
        return as_refusal(page, refused.again_at)


@_READ_AND_POST
@for_administrators
def withdraw(
    request: HttpRequest, member: PartnerMember, member_invitation_id: int
) -> HttpResponse:
    """Ask whether to withdraw an invitation; a POST withdraws it."""
    invitation = _invitation(member, member_invitation_id)
    if request.method != "POST":
        context = {"invitation": invitation, "back_url": reverse("console_members")}
        template = "partners/withdraw_member_invitation.html"
        return show(request, member, template, context, section=SECTION)
    try:
        withdraw_member_invitation(invitation=invitation, by=member.user, now=timezone.now())
    except Refused as refused:
        return _refusal_page(request, member, refused)
    messages.success(request, _("The invitation has been withdrawn."))
    return see_other("console_members")


@require_POST
@for_administrators
def send_again(
    request: HttpRequest, member: PartnerMember, member_invitation_id: int
) -> HttpResponse:
    """Renew an invitation and mail it once more."""
    invitation = _invitation(member, member_invitation_id)
    terms = {
        "address": invitation.address,
        "role": invitation.role,
        "may_see_addresses": invitation.may_see_addresses,
    }
    name = f"send_member_invitation:{invitation.pk}"
    try:
        return answer_once(request, name, _inviting(request, member, terms))
    except Refused as refused:
        return _refusal_page(request, member, refused)


def _inviting(
    request: HttpRequest, member: PartnerMember, terms: Mapping[str, Any]
) -> Callable[[], str]:
    """Return the action of a form that invites a person."""

    def invite_them() -> str:
        invite_member(partner=member.partner, by=member.user, now=timezone.now(), **terms)
        text = _("The invitation to %(address)s is on its way.")
        messages.success(request, text % {"address": terms["address"]})
        return reverse("console_members")

    return invite_them


def _members_of(member: PartnerMember) -> PartnerMemberQuerySet:
    return member.partner.members.select_related("user")


def _invitation(member: PartnerMember, key: int) -> MemberInvitation:
    return get_object_or_404(member.partner.member_invitations, pk=key)


def _invite_page(
    request: HttpRequest, member: PartnerMember, form: InviteMemberForm, *, status: int = 200
) -> HttpResponse:
    context = {"form": form, "back_url": reverse("console_members")}
    template = "partners/invite_member.html"
    return show(request, member, template, context, section=SECTION, status=status)


def _edit_page(
    request: HttpRequest,
    member: PartnerMember,
    form: MemberForm,
    theirs: PartnerMember,
    *,
    status: int = 200,
) -> HttpResponse:
    context = {"form": form, "theirs": theirs, "back_url": reverse("console_members")}
    template = "partners/edit_member.html"
    return show(request, member, template, context, section=SECTION, status=status)


def _remove_page(
    request: HttpRequest, member: PartnerMember, member_id: int, refusal: str = ""
) -> HttpResponse:
    theirs = get_object_or_404(with_customer_counts(_members_of(member)), pk=member_id)
    context = {
        "theirs": theirs,
        "is_self": theirs.user == member.user,
        "refusal": refusal,
        "back_url": reverse("console_members"),
    }
    return show(request, member, "partners/remove_member.html", context, section=SECTION)


def _refusal_page(request: HttpRequest, member: PartnerMember, refused: Refused) -> HttpResponse:
    return refusal_page(
        request,
        member,
        sentence_for(refused),
        section=SECTION,
        back_url=reverse("console_members"),
        again_at=refused.again_at,
    )
