"""The console's members, for administrators: who acts for the partner, and as what."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from partners.enums import PartnerRole
from partners.forms.filters import MembersForm
from partners.forms.members import EditMemberForm, InviteMemberForm
from partners.models import MemberInvitation, PartnerMember
from partners.models.members import PartnerMemberQuerySet
from partners.services.member_invitations import (
    invite_member,
    resend_member_invitation,
    withdraw_member_invitation,
)
from partners.services.members import (
    change_member,
    member_terms,
    remove_member,
    with_customer_counts,
)
from partners.services.pages import Order, counted
from partners.views.gate import for_administrators, show
from partners.views.lists import filters_of, listing
from partners.views.refusing import answer_action, answer_form
from web.answers import posted, posts_only

SECTION = "members"
_READ_AND_POST = require_http_methods(["GET", "HEAD", "POST"])
_ORDER = Order("created_at", descending=False)
# Open invitations on the page; a partner invites fifty people a day, and they expire in seven.
_MOST_INVITATIONS = 400


@require_safe
@for_administrators
def members(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    form, now = MembersForm(request.GET), timezone.now()
    found = _members_of(member).search(**filters_of(form))
    invitations = member.partner.member_invitations.open().order_by("-invited_at", "-pk")
    shown = listing(request, form, with_customer_counts(found), order=_ORDER)
    for row in shown.page.rows:
        row.customers_counted = counted(row.customer_count)
    context = {
        "listing": shown,
        "invitations": [(row, row.is_expired(now)) for row in invitations[:_MOST_INVITATIONS]],
    }
    return show(request, member, "partners/members.html", context, section=SECTION)


@_READ_AND_POST
@for_administrators
def invite(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    form, template = InviteMemberForm(posted(request)), "partners/invite_member.html"

    def send() -> str:
        terms = form.cleaned_data
        invite_member(partner=member.partner, by=member.user, now=timezone.now(), **terms)
        return _on_its_way(request, terms["address"])

    return answer_form(
        request,
        member,
        form,
        send,
        template,
        _back(),
        section=SECTION,
        field_of=lambda code: "address",
    )


@_READ_AND_POST
@for_administrators
def edit(request: HttpRequest, member: PartnerMember, member_id: int) -> HttpResponse:
    theirs = get_object_or_404(_members_of(member), pk=member_id)
    terms = member_terms(theirs)
    form = EditMemberForm(posted(request), initial=terms, shows=terms)

    def change() -> str:
        change_member(member=theirs, by=member.user, now=timezone.now(), **form.cleaned_data)
        messages.success(request, _("Saved. The change applies from now on."))
        stays = theirs != member or form.cleaned_data["role"] == PartnerRole.ADMINISTRATOR
        return reverse("console_members" if stays else "console_overview")

    return answer_form(
        request,
        member,
        form,
        change,
        "partners/edit_member.html",
        {"theirs": theirs, **_back()},
        section=SECTION,
        field_of=lambda code: "role",
    )


@_READ_AND_POST
@for_administrators
def remove(request: HttpRequest, member: PartnerMember, member_id: int) -> HttpResponse:
    def remove_them() -> str:
        theirs = get_object_or_404(_members_of(member), pk=member_id)
        remove_member(member=theirs, by=member.user, now=timezone.now())
        text = _("%(name)s is no longer a member.")
        messages.success(request, text % {"name": theirs.user.email})
        return reverse("account_home" if theirs.user == member.user else "console_members")

    def context() -> dict[str, Any]:
        theirs = get_object_or_404(with_customer_counts(_members_of(member)), pk=member_id)
        return {"theirs": theirs, "is_self": theirs.user == member.user, **_back()}

    form, template = forms.Form(posted(request)), "partners/remove_member.html"
    return answer_form(request, member, form, remove_them, template, context, section=SECTION)


@_READ_AND_POST
@for_administrators
def withdraw(
    request: HttpRequest, member: PartnerMember, member_invitation_id: int
) -> HttpResponse:
    invitation = _invitation(member, member_invitation_id)
    if request.method != "POST":
        context = {"invitation": invitation, **_back()}
        template = "partners/withdraw_member_invitation.html"
        return show(request, member, template, context, section=SECTION)

    def withdraw_it() -> str:
        withdraw_member_invitation(invitation=invitation, by=member.user, now=timezone.now())
        messages.success(request, _("The invitation has been withdrawn."))
        return reverse("console_members")

    back_url = reverse("console_members")
    return answer_action(request, member, withdraw_it, section=SECTION, back_url=back_url)


@for_administrators
@posts_only("console_members")
def send_again(
    request: HttpRequest, member: PartnerMember, member_invitation_id: int
) -> HttpResponse:
    invitation = _invitation(member, member_invitation_id)

    def send() -> str:
        resend_member_invitation(invitation=invitation, by=member.user, now=timezone.now())
        return _on_its_way(request, invitation.address)

    back_url = reverse("console_members")
    return answer_action(request, member, send, section=SECTION, back_url=back_url)


def _on_its_way(request: HttpRequest, email: str) -> str:
    text = _("The invitation to %(address)s is on its way.")
    messages.success(request, text % {"address": email})
    return reverse("console_members")


def _back() -> dict[str, str]:
    return {"back_url": reverse("console_members")}


def _members_of(member: PartnerMember) -> PartnerMemberQuerySet:
    return member.partner.members.select_related("user")


def _invitation(member: PartnerMember, key: int) -> MemberInvitation:
    return get_object_or_404(member.partner.member_invitations, pk=key)
