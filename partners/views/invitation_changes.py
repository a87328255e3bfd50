"""The console's forms about invitations: a new link, changing one, revoking it for good."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from partners.enums import Channel
from partners.forms.links import EditInvitationForm, NewLinkForm, allowed_types, copied_terms
from partners.models import Invitation, PartnerMember
from partners.refusals import SENTENCES
from partners.services.invitations import create_invitation, edit_invitation, revoke_invitation
from partners.views.gate import for_members, show
from partners.views.refusing import answer_form
from partners.views.shared import SECTION, copied_key, invitation_of, why_no_link
from web.answers import posted, see_other


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def new_link(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    now, like = timezone.now(), _link_to_copy(request, member)
    initial = copied_terms(like, now=now) if like else None
    form = NewLinkForm(posted(request), partner=member.partner, now=now, initial=initial)

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

    template, why_not = "partners/invitation_new.html", why_no_link(member)
    context = {"types": allowed_types(member.partner), "back_url": reverse("console_invitations")}
    return answer_form(
        request, member, form, make, template, context, section=SECTION, why_not=why_not
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def edit(request: HttpRequest, member: PartnerMember, invitation_id: int) -> HttpResponse:
    now = timezone.now()
    offer = invitation_of(member, invitation_id)
    form = EditInvitationForm(posted(request), invitation=offer, member=member, now=now)
    dead = offer.refusal(now)

    def write() -> str:
        edit_invitation(invitation=offer, by=member.user, now=now, **form.cleaned_data)
        messages.success(request, _("The invitation has been changed; its link is the same."))
        return _page_of(offer)

    template, why_not = "partners/invitation_edit.html", str(SENTENCES[dead]) if dead else ""
    context = {"invitation": offer, "back_url": _page_of(offer)}
    return answer_form(
        request, member, form, write, template, context, section=SECTION, why_not=why_not
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def revoke(request: HttpRequest, member: PartnerMember, invitation_id: int) -> HttpResponse:
    offer = invitation_of(member, invitation_id)
    if request.method == "POST":
        revoke_invitation(invitation=offer, by=member.user, now=timezone.now())
        messages.success(request, _("The invitation is revoked. It cannot be followed any more."))
        return see_other(_page_of(offer))
    context = {"invitation": offer, "back_url": _page_of(offer)}
    return show(request, member, "partners/invitation_revoke.html", context, section=SECTION)


def _link_to_copy(request: HttpRequest, member: PartnerMember) -> Invitation | None:
    key = copied_key(request)
    like = None if key is None else invitation_of(member, key)
    if like is not None and like.channel != Channel.LINK:
        raise Http404
    return like


def _page_of(invitation: Invitation) -> str:
    return reverse("console_invitation", args=[invitation.pk])
