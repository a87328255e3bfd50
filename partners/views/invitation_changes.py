"""The console's forms about invitations: a new link, changing one, revoking it for good."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from partners.enums import Channel
from partners.forms import EditInvitationForm, NewLinkForm, allowed_types, copied_terms
from partners.models import Invitation, PartnerMember
from partners.refusals import SENTENCES, sentence_for
from partners.services.invitations import create_invitation, edit_invitation, revoke_invitation
from partners.views.gate import for_members, show
from partners.views.refusing import as_refusal
from partners.views.shared import SECTION, invitation_of, status_of, why_no_link
from web.answers import posted, see_other
from web.form_keys import answer_once
from web.refused import Refused

FORM_METHODS = ["GET", "HEAD", "POST"]


@require_http_methods(FORM_METHODS)
@for_members
def new_link(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    """Make a link."""
    now = timezone.now()
    initial = _copied(request, member)
    form = NewLinkForm(posted(request), partner=member.partner, now=now, initial=initial)
    why_not = why_no_link(member)
    if why_not or not form.is_valid():
        return _new_link_page(request, member, form, why_not, status_of(form, why_not))

    def make() -> str:
        made = create_invitation(
            partner=member.partner,
            channel=Channel.LINK,
            by=member.user,
            now=now,
            **form.cleaned_data,
        )
        messages.success(request, _("The link is ready. Hand it on."))
        return _page_of(made)

    try:
        return answer_once(request, "new_link", make)
    except Refused as refused:
        form.add_error(None, sentence_for(refused))
        return as_refusal(_new_link_page(request, member, form), refused.again_at)


@require_http_methods(FORM_METHODS)
@for_members
def edit(request: HttpRequest, member: PartnerMember, invitation_id: int) -> HttpResponse:
    """Change label, note, expiry and uses of a live invitation; its link stays."""
    now = timezone.now()
    offer = invitation_of(member, invitation_id)
    form = EditInvitationForm(posted(request), invitation=offer, now=now)
    dead = offer.refusal(now)
    if dead is not None:
        why_not = str(SENTENCES[dead])
        return _edit_page(request, member, form, why_not, status_of(form, why_not))
    if not form.is_valid():
        return _edit_page(request, member, form, status=status_of(form))
    try:
        edit_invitation(invitation=offer, by=member.user, now=now, **form.cleaned_data)
    except Refused as refused:
        page = _edit_page(request, member, form, sentence_for(refused))
        return as_refusal(page, refused.again_at)
    messages.success(request, _("The invitation has been changed; its link is the same."))
    return see_other(_page_of(offer))


@require_http_methods(FORM_METHODS)
@for_members
def revoke(request: HttpRequest, member: PartnerMember, invitation_id: int) -> HttpResponse:
    """Show what revoking means, and do it; a second time does nothing."""
    offer = invitation_of(member, invitation_id)
    if request.method == "POST":
        revoke_invitation(invitation=offer, by=member.user, now=timezone.now())
        messages.success(request, _("The invitation is revoked. Nobody can follow it any more."))
        return see_other(_page_of(offer))
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


def _edit_page(
    request: HttpRequest,
    member: PartnerMember,
    form: EditInvitationForm,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    offer = form.invitation
    context = {"invitation": offer, "form": form, "refusal": refusal, "back_url": _page_of(offer)}
    return show(
        request, member, "partners/invitation_edit.html", context, section=SECTION, status=status
    )


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
