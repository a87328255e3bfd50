"""The console's pages to invite by e-mail: one person, or the people of a list."""

from enum import Enum
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from outbox.services.rendering import from_address
from partners.emails import preview_invitation
from partners.enums import BatchState, Channel, InvitationProblem
from partners.forms.emails import LARGEST_LIST, MailingForm, ManyEmailsForm, NewEmailForm
from partners.forms.links import copied_terms, terms_for_another
from partners.models import InvitationBatch, PartnerMember
from partners.refusals import SENTENCES
from partners.services.invitation_drafts import draft_invitation
from partners.services.invitations import create_invitation
from partners.services.mailings import draft_mailing, draft_of_row, pending_rows, start_mailing
from partners.views.gate import for_members, show
from partners.views.refusing import answer_form, status_of
from partners.views.shared import SECTION, copied_key, invitation_of, report_mailing
from web.answers import posted
from web.body_limits import accept_file
from web.downloads import csv_download, show_email_html

ONE, REPORT = "partners/email_new.html", "partners/mailing.html"
# The field at which a refusal to invite one person is shown; all others concern the whole form.
FIELDS: dict[Enum, str] = {
    InvitationProblem.MAILED_TOO_OFTEN: "recipient",
    InvitationProblem.TYPE_NOT_ALLOWED: "association_type",
    InvitationProblem.EXPIRY_NOT_AHEAD: "expires_at",
}
SHOWN = 100


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
        context |= {"email": email, "sender": from_address(), "recipient": draft.recipient}
    status = status_of(form)
    return show(request, member, ONE, context, section=SECTION, status=status)


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
        request, member, form, make, ONE, context, section=SECTION, field_of=FIELDS.get
    )


@accept_file(largest=LARGEST_LIST)
@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def many_emails(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    now, key = timezone.now(), copied_key(request)
    initial = None if key is None else copied_terms(_batch_of(member, key), now=now)
    files = request.FILES if request.method == "POST" else None
    form = ManyEmailsForm(posted(request), files, partner=member.partner, now=now, initial=initial)

    def draft() -> str:
        batch = draft_mailing(
            partner=member.partner, people=form.listed, by=member.user, now=now, **form.cleaned_data
        )
        return reverse("console_mailing", args=[batch.pk])

    def context() -> dict[str, Any]:
        bad = [person for person in getattr(form, "listed", []) if person.problem]
        return {
            "bad_rows": [(row, SENTENCES[row.problem]) for row in bad[:SHOWN]],
            "bad_count": len(bad),
            "back_url": reverse("console_invitations"),
        }

    template = "partners/email_many.html"
    response = answer_form(request, member, form, draft, template, context, section=SECTION)
    if form.is_too_large:
        response.status_code = 413
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def mailing(request: HttpRequest, member: PartnerMember, batch_id: int) -> HttpResponseBase:
    """Show the report and the first e-mail; `action` is preview, preview_html or send."""
    batch, now = _batch_of(member, batch_id), timezone.now()
    form = MailingForm(posted(request), batch=batch)
    action = request.POST.get("action")
    if action == "send":

        def start() -> str:
            start_mailing(batch=batch, by=member.user, now=now, **form.cleaned_data)
            return reverse("console_batch", args=[batch.pk])

        report = partial(_report, batch)
        return answer_form(request, member, form, start, REPORT, report, section=SECTION)
    if form.is_valid():
        batch.subject, batch.note = form.cleaned_data["subject"], form.cleaned_data["note"]
        row = pending_rows(batch).first()
        if action == "preview_html" and row is not None:
            return show_email_html(request, preview_invitation(draft_of_row(batch, row, now)).html)
    context = {"form": form, **_report(batch)}
    return show(request, member, REPORT, context, section=SECTION, status=status_of(form))


@require_safe
@for_members
def bad_rows(request: HttpRequest, member: PartnerMember, batch_id: int) -> HttpResponseBase:
    batch = _batch_of(member, batch_id)
    header = ("row", "name", "email", "country", "note", "reason")
    # Translated here: while the rows are sent, the reader's language is no longer the active one.
    reasons = {code: str(sentence) for code, sentence in SENTENCES.items()}
    cells = (
        (row.number, row.name, row.email, row.country, row.note, reasons[row.problem])
        for row in batch.rows.exclude(problem="").order_by("number").iterator()
    )
    return csv_download(f"invitations-{batch.pk}-bad-rows", header, cells)


def _batch_of(member: PartnerMember, batch_id: int) -> InvitationBatch:
    own = member.partner.batches.visible_to(member).filter(channel=Channel.EMAIL)
    return get_object_or_404(own.select_related("partner"), pk=batch_id)


def _report(batch: InvitationBatch) -> dict[str, Any]:
    """Return the list's report; while it is a draft also its first e-mail."""
    bad = batch.rows.exclude(problem="").order_by("number")
    context: dict[str, Any] = {
        "batch": batch,
        "bad_rows": [(row, SENTENCES[row.problem]) for row in bad[:SHOWN]],
        "bad_count": bad.count(),
        "back_url": reverse("console_batches"),
    }
    row = pending_rows(batch).first() if batch.state == BatchState.DRAFT else None
    if row is not None:
        email = preview_invitation(draft_of_row(batch, row, timezone.now()))
        context |= {"email": email, "sender": from_address(), "recipient": row.email}
    return context
