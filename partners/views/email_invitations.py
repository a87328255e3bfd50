"""The console's page to invite one person by e-mail, with the mail before it is sent."""

from enum import Enum

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from outbox.services.rendering import Email, from_address
from partners.emails import preview_invitation
from partners.enums import Channel, InvitationProblem, PartnerStatus
from partners.forms import NewEmailForm
from partners.models import PartnerMember
from partners.refusals import sentence_for
from partners.services.invitations import create_invitation, draft_invitation
from partners.views.gate import for_members, show
from partners.views.refusing import as_refusal
from partners.views.shared import SECTION, status_of
from web.answers import posted
from web.downloads import show_email_html
from web.form_keys import answer_once
from web.refused import Refused

# The field at which a refusal is shown; all others concern the whole form.
FIELDS: dict[Enum, str] = {
    InvitationProblem.MAILED_TOO_OFTEN: "recipient",
    InvitationProblem.TYPE_NOT_ALLOWED: "association_type",
    InvitationProblem.EXPIRY_NOT_AHEAD: "expires_at",
}


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def new_email(request: HttpRequest, member: PartnerMember) -> HttpResponseBase:
    """Ask for the person and the words; `action` is preview, preview_html or send."""
    form = NewEmailForm(posted(request), partner=member.partner, now=timezone.now())
    if not form.is_valid():
        return _page(request, member, form, status=status_of(form))
    action = request.POST.get("action")
    if action == "send":
        return _send(request, member, form)
    draft = draft_invitation(
        partner=member.partner, channel=Channel.EMAIL, now=form.now, **form.cleaned_data
    )
    mail = preview_invitation(draft)
    if action == "preview_html":
        return show_email_html(request, mail.html)
    return _page(request, member, form, mail=mail)


def _send(request: HttpRequest, member: PartnerMember, form: NewEmailForm) -> HttpResponseBase:
    """Make the invitation, or show at the form why not."""

    def make() -> str:
        sent = create_invitation(
            partner=member.partner,
            channel=Channel.EMAIL,
            by=member.user,
            now=form.now,
            **form.cleaned_data,
        )
        text = _("The invitation to %(address)s is on its way.")
        messages.success(request, text % {"address": sent.recipient})
        return reverse("console_invitation", args=[sent.pk])

    try:
        return answer_once(request, "new_email", make)
    except Refused as refused:
        form.add_error(FIELDS.get(refused.code), sentence_for(refused))
        return as_refusal(_page(request, member, form), refused.again_at)


def _page(
    request: HttpRequest,
    member: PartnerMember,
    form: NewEmailForm,
    *,
    mail: Email | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "mail": mail,
        "sender": from_address(),
        "recipient": form.cleaned_data.get("recipient") if mail else "",
        "is_frozen": member.partner.status != PartnerStatus.NORMAL,
        "back_url": reverse("console_invitations"),
    }
    return show(request, member, "partners/email_new.html", context, section=SECTION, status=status)
