"""The console's page to invite one person by e-mail, with the mail before it is sent."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from outbox.services.rendering import Email, from_address
from partners.emails import preview_invitation
from partners.forms import NewEmailForm
from partners.models import PartnerMember, PartnerStatus
from partners.refusal_codes import InvitationProblem
from partners.refusals import sentence_for
from partners.services.invitations import InvitationNotSaved
from partners.services.invitations.made_once import create_email, draft_email
from partners.views.gate import for_members, show
from partners.views.refusing import as_refusal
from web.answers import posted, see_other
from web.downloads import show_email_html

SECTION = "invitations"
# At which field a refusal stands; the others are about the whole form.
FIELDS = {
    InvitationProblem.MAILED_TOO_OFTEN: "recipient",
    InvitationProblem.TYPE_NOT_ALLOWED: "association_type",
    InvitationProblem.EXPIRY_NOT_AHEAD: "expires_at",
}


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def new_email(request: HttpRequest, member: PartnerMember) -> HttpResponseBase:
    """Ask for the person and the words; `action` is preview, preview_html or send."""
    form = NewEmailForm(posted(request), partner=member.partner, now=timezone.now())
    if not form.is_bound:
        return _page(request, member, form)
    if not form.is_valid():
        return _page(request, member, form, status=400)
    action = request.POST.get("action")
    if action == "send":
        return _send(request, member, form)
    mail = preview_invitation(
        draft_email(partner=member.partner, now=form.now, **form.cleaned_data)
    )
    if action == "preview_html":
        return show_email_html(request, mail.html)
    return _page(request, member, form, mail=mail)


def _send(request: HttpRequest, member: PartnerMember, form: NewEmailForm) -> HttpResponseBase:
    """Make the invitation, or say at the form why not."""
    now: datetime = form.now
    try:
        sent = create_email(partner=member.partner, by=member.user, now=now, **form.cleaned_data)
    except InvitationNotSaved as refused:
        form.add_error(FIELDS.get(refused.code), sentence_for(refused))
        return as_refusal(_page(request, member, form), refused, now)
    messages.success(
        request, _("The invitation to %(address)s is on its way.") % {"address": sent.recipient}
    )
    return see_other("console_invitation", invitation_id=sent.pk)


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
