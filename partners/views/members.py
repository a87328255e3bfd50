"""The console's members, for administrators: who acts for the partner, and as what."""

from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.views.answers import posted, see_other
from partners.enums import PartnerRole
from partners.forms import InviteMemberForm, MemberForm, MembersForm
from partners.models import MemberInvitation, PartnerMember
from partners.models.members import PartnerMemberQuerySet
from partners.refusals import sentence_for
from partners.services.members import (
    MOST_COUNTED,
    MemberRefused,
    change_member,
    invite_member,
    remove_member,
    was_removed,
    with_customer_counts,
    withdraw_member_invitation,
)
from partners.services.pages import Order, counted
from partners.views.gate import for_administrators, show
from partners.views.lists import listing, wishes_of
from partners.views.refusing import as_refusal, refusal_page

_READ_AND_POST = require_http_methods(["GET", "HEAD", "POST"])
_ORDER = Order("created_at", descending=False)
# Open invitations on the page; a partner invites fifty people a day, and they expire in seven.
_MOST_INVITATIONS = 400


@require_safe
@for_administrators
def members(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    """List who acts for the partner, the longest first, and who has been asked to."""
    form, now = MembersForm(request.GET), timezone.now()
    found = _members_of(member).search(**wishes_of(form))
    invitations = member.partner.member_invitations.open().order_by("-invited_at", "-pk")
    shown = listing(request, form, with_customer_counts(found), order=_ORDER)
    for row in shown.page.rows:
        row.customers_counted = counted(row.customer_count, MOST_COUNTED)
    context = {
        "listing": shown,
        "invitations": [(row, row.is_expired(now)) for row in invitations[:_MOST_INVITATIONS]],
    }
    return show(request, member, "partners/members.html", context, section="members")


@_READ_AND_POST
@for_administrators
def invite(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    """Invite someone by e-mail to act for the partner."""
    form, refused = InviteMemberForm(posted(request)), None
    if form.is_valid():
        try:
            invite_member(
                partner=member.partner, by=member.user, now=timezone.now(), **form.cleaned_data
            )
        except MemberRefused as problem:
            form.add_error("address", sentence_for(problem))
            refused = problem
        else:
            messages.success(request, _on_its_way(form.cleaned_data["address"]))
            return see_other("console_members")
    return _show_form(request, member, "partners/invite_member.html", form, refused)


@_READ_AND_POST
@for_administrators
def edit(request: HttpRequest, member: PartnerMember, member_id: int) -> HttpResponse:
    """Change a member's role and right; it holds from their next request."""
    theirs = get_object_or_404(_members_of(member), pk=member_id)
    initial = {"role": theirs.role, "may_see_addresses": theirs.may_see_addresses}
    form, refused = MemberForm(posted(request), initial=initial), None
    if form.is_valid():
        try:
            change_member(member=theirs, by=member.user, now=timezone.now(), **form.cleaned_data)
        except MemberRefused as problem:
            form.add_error("role", sentence_for(problem))
            refused = problem
        else:
            messages.success(request, _("Saved. It holds from this moment."))
            stays = theirs != member or form.cleaned_data["role"] == PartnerRole.ADMINISTRATOR
            return see_other("console_members" if stays else "console_overview")
    return _show_form(request, member, "partners/edit_member.html", form, refused, theirs=theirs)


@_READ_AND_POST
@for_administrators
def remove(request: HttpRequest, member: PartnerMember, member_id: int) -> HttpResponse:
    """Say what removing a member means; a POST removes them, a second one changes nothing."""
    is_posted = request.method == "POST"
    if is_posted and was_removed(partner=member.partner, member_id=member_id):
        return see_other("console_members")
    theirs = get_object_or_404(with_customer_counts(_members_of(member)), pk=member_id)
    refusal = ""
    if is_posted:
        try:
            remove_member(member=theirs, by=member.user, now=timezone.now())
        except MemberRefused as refused:
            refusal = sentence_for(refused)
        else:
            said = _("%(name)s is no longer a member.") % {"name": theirs.user.email}
            messages.success(request, said)
            return see_other("account_home" if theirs.user == member.user else "console_members")
    context = {
        "theirs": theirs,
        "is_self": theirs.user == member.user,
        "refusal": refusal,
        "back_url": reverse("console_members"),
    }
    status = 409 if refusal else 200
    return show(
        request, member, "partners/remove_member.html", context, section="members", status=status
    )


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
        return show(request, member, template, context, section="members")
    try:
        withdraw_member_invitation(invitation=invitation, by=member.user, now=timezone.now())
    except MemberRefused as refused:
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
    try:
        invite_member(
            partner=member.partner,
            address=invitation.address,
            role=invitation.role,
            may_see_addresses=invitation.may_see_addresses,
            by=member.user,
            now=timezone.now(),
        )
    except MemberRefused as refused:
        return _refusal_page(request, member, refused)
    messages.success(request, _on_its_way(invitation.address))
    return see_other("console_members")


def _members_of(member: PartnerMember) -> PartnerMemberQuerySet:
    return member.partner.members.select_related("user")


def _invitation(member: PartnerMember, key: int) -> MemberInvitation:
    return get_object_or_404(member.partner.member_invitations, pk=key)


def _on_its_way(address: str) -> str:
    return _("The invitation to %(address)s is on its way.") % {"address": address}


def _show_form(
    request: HttpRequest,
    member: PartnerMember,
    template: str,
    form: Form,
    refused: MemberRefused | None,
    **context: Any,
) -> HttpResponse:
    """Show a form: for the first time, with what was mistyped, or with why it is refused."""
    status = 400 if form.errors else 200
    context = {"form": form, "back_url": reverse("console_members"), **context}
    page = show(request, member, template, context, section="members", status=status)
    return page if refused is None else as_refusal(page, refused, timezone.now())


def _refusal_page(
    request: HttpRequest, member: PartnerMember, refused: MemberRefused
) -> HttpResponse:
    sentence, back_url = sentence_for(refused), reverse("console_members")
    return refusal_page(request, member, refused, sentence, section="members", back_url=back_url)
