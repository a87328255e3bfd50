"""The console's page to invite one person by e-mail."""

from enum import Enum
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from outbox.services.rendering import from_address
from partners.emails import preview_invitation
from partners.enums import Channel, InvitationProblem
from partners.forms.emails import NewEmailForm
from partners.forms.links import terms_for_another
from partners.models import PartnerMember
from partners.services.invitation_drafts import draft_invitation
from partners.services.invitations import create_invitation
from partners.services.quotas import mailable_again_at
from partners.views.gate import for_members, show
from partners.views.refusing import answer_form, status_of
from partners.views.shared import SECTION, copied_key, invitation_of, report_mailing
from web.answers import posted
from web.downloads import show_email_html

PAGE = "partners/email_new.html"
# The field at which a refusal to invite one person is shown; all others concern the whole form.
FIELDS: dict[Enum, str] = {
    InvitationProblem.MAILED_TOO_OFTEN: "recipient",
    InvitationProblem.TYPE_NOT_ALLOWED: "association_type",
    InvitationProblem.EXPIRY_NOT_AHEAD: "expires_at",
}


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def new_email(request: HttpRequest, member: PartnerMember) -> HttpResponseBase:
    """Ask for the person and the words; `action` is preview, preview_html or send."""
    now, key = timezone.now(), copied_key(request)
    like = None if key is None else invitation_of(member, key)
    initial = terms_for_another(like, now=now) if like else None
    form = NewEmailForm(posted(request), partner=member.partner, now=now, initial=initial)
    context: dict[str, Any] = {"form": form, "back_url": reverse("console_invitations")}
    action = request.POST.get("action")
    if action == "send":
        return _send(request, member, form, context)
    if form.is_valid():
        draft = draft_invitation(
            partner=member.partner, channel=Channel.EMAIL, now=form.now, **form.cleaned_data
        )
        email = preview_invitation(draft)
        if action == "preview_html":
            return show_email_html(request, email.html)
        again_at = mailable_again_at(draft.recipient, now=form.now)
        context |= {"email": email, "sender": from_address(), "again_at": again_at}
        context["recipient"] = draft.recipient
    status = status_of(form)
    return show(request, member, PAGE, context, section=SECTION, status=status)


def _send(
    request: HttpRequest, member: PartnerMember, form: NewEmailForm, context: dict[str, Any]
) -> HttpResponseBase:
    def make() -> str:
        sent = create_invitation(
            partner=member.partner,
            channel=Channel.EMAIL,
            by=member.user,
            now=form.now,
            **form.cleaned_data,
        )
        report_mailing(request, sent, sent.recipient)
        return reverse("console_invitation", args=[sent.pk])

    return answer_form(
        request, member, form, make, PAGE, context, section=SECTION, field_of=FIELDS.get
    )
