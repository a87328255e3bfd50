"""The console's forms about invitations: a new link, changing one, revoking it for good."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.views.answers import posted, see_other
from partners.enums import Channel
from partners.forms import EditInvitationForm, NewLinkForm, allowed_types, copied_terms
from partners.models import Invitation, PartnerMember
from partners.refusals import SENTENCES, sentence_for
from partners.services.invitations import (
    InvitationNotSaved,
    edit_invitation,
    revoke_invitation,
)
from partners.services.invitations.made_once import create_link
from partners.views.gate import for_members, show
from partners.views.one_invitation import SECTION, invitation_of, state_of, why_no_link
from partners.views.refusing import as_refusal

FORM_METHODS = ["GET", "HEAD", "POST"]


@require_http_methods(FORM_METHODS)
@for_members
def new_link(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    """Make a link; a form that is sent twice makes one."""
    now = timezone.now()
    initial = _copied(request, member)
    form = NewLinkForm(posted(request), member=member, now=now, initial=initial)
    why_not = why_no_link(member)
    if why_not:
        return _new_link_page(request, member, form, why_not, 409 if form.is_bound else 200)
    if not form.is_bound:
        return _new_link_page(request, member, form)
    if not form.is_valid():
        return _new_link_page(request, member, form, status=400)
    try:
        made = _made(request, member, form)
    except InvitationNotSaved as refused:
        form.add_error(None, sentence_for(refused))
        return as_refusal(_new_link_page(request, member, form, status=409), refused, now)
    return see_other("console_invitation", invitation_id=made.pk)


@require_http_methods(FORM_METHODS)
@for_members
def edit(request: HttpRequest, member: PartnerMember, invitation_id: int) -> HttpResponse:
    """Change label, note, expiry and uses of a live invitation; its link stays."""
    now = timezone.now()
    offer = invitation_of(member, invitation_id)
    form = EditInvitationForm(posted(request), invitation=offer, now=now)
    state, status, refusal = state_of(offer, now), 200, ""
    if not state.is_live:
        status = 409 if form.is_bound else 200
        refusal = str(SENTENCES[str(offer.refusal(now))])
    elif form.is_bound and not form.is_valid():
        status = 400
    elif form.is_bound:
        try:
            edit_invitation(invitation=offer, by=member.user, now=now, **form.cleaned_data)
        except InvitationNotSaved as refused:
            status, refusal = 409, sentence_for(refused)
        else:
            messages.success(request, _("The invitation has been changed; its link is the same."))
            return see_other("console_invitation", invitation_id=offer.pk)
    context = {"invitation": offer, "form": form, "refusal": refusal, "back_url": _page_of(offer)}
    return show(
        request, member, "partners/invitation_edit.html", context, section=SECTION, status=status
    )


@require_http_methods(FORM_METHODS)
@for_members
def revoke(request: HttpRequest, member: PartnerMember, invitation_id: int) -> HttpResponse:
    """Say what revoking means, and do it; a second time does nothing."""
    offer = invitation_of(member, invitation_id)
    if request.method == "POST":
        revoke_invitation(invitation=offer, by=member.user, now=timezone.now())
        messages.success(request, _("The invitation is revoked. Nobody can follow it any more."))
        return see_other("console_invitation", invitation_id=offer.pk)
    context = {"invitation": offer, "back_url": _page_of(offer)}
    return show(request, member, "partners/invitation_revoke.html", context, section=SECTION)


def _new_link_page(
    request: HttpRequest,
    member: PartnerMember,
    form: NewLinkForm,
    why_not: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "why_not": why_not,
        "types": allowed_types(member.partner),
        "back_url": reverse("console_invitations"),
    }
    return show(
        request, member, "partners/invitation_new.html", context, section=SECTION, status=status
    )


def _made(request: HttpRequest, member: PartnerMember, form: NewLinkForm) -> Invitation:
    """Make the link, or return the one that this very form made before."""
    made = create_link(partner=member.partner, by=member.user, now=form.now, **form.cleaned_data)
    if made.created_at == form.now:
        messages.success(request, _("The link is ready. Hand it on."))
    else:
        messages.info(request, _("The form was sent twice; the link was made once."))
    return made


def _copied(request: HttpRequest, member: PartnerMember) -> dict[str, Any] | None:
    """Return what the form begins with when the address names a link to be like."""
    text = request.GET.get("copy")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Http404
    like = invitation_of(member, int(text))
    if like.channel != Channel.LINK:
        raise Http404
    return copied_terms(like, now=timezone.now())


def _page_of(invitation: Invitation) -> str:
    return reverse("console_invitation", args=[invitation.pk])
