"""The console's pages to invite many by e-mail: the list, the report on it, and the start."""

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from outbox.services.rendering import from_address
from partners.emails import default_subject, preview_invitation
from partners.enums import Channel, PartnerStatus
from partners.forms import LARGEST_LIST, MailingForm, ManyEmailsForm
from partners.models import BatchRow, InvitationBatch, PartnerMember
from partners.refusals import SENTENCES, sentence_for
from partners.services.mailings import draft_mailing, draft_of_row, pending_rows, start_mailing
from partners.views.gate import for_members, show
from partners.views.refusing import as_refusal
from partners.views.shared import SECTION, status_of
from web.answers import posted, see_other
from web.body_limits import accept_file
from web.downloads import csv_download, show_email_html
from web.form_keys import answer_once
from web.refused import Refused

SHOWN = 100


@accept_file(largest=LARGEST_LIST)
@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def many_emails(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    """Ask for the list and what its mails share; keep it as a draft that can be looked at."""
    now = timezone.now()
    files = request.FILES if request.method == "POST" else None
    form = ManyEmailsForm(
        posted(request), files, partner=member.partner, now=now, initial=_copied(request, member)
    )
    if not form.is_valid():
        status = 413 if form.is_too_large else status_of(form)
        return _form_page(request, member, form, status=status)

    def draft() -> str:
        batch = draft_mailing(
            partner=member.partner, people=form.listed, by=member.user, now=now, **form.cleaned_data
        )
        return reverse("console_mailing", args=[batch.pk])

    try:
        return answer_once(request, "new_mailing", draft)
    except Refused as refused:
        form.add_error(None, sentence_for(refused))
        return as_refusal(_form_page(request, member, form), refused.again_at)


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def mailing(request: HttpRequest, member: PartnerMember, batch_id: int) -> HttpResponseBase:
    """Show the report on the list and the first mail; `action` is preview, preview_html or send."""
    batch, now = _batch_of(member, batch_id), timezone.now()
    form = MailingForm(posted(request), batch=batch)
    if not form.is_valid():
        return _report_page(request, member, batch, form, status=status_of(form))
    action = request.POST.get("action")
    if action == "send":
        return _start(request, member, batch, form, now)
    batch.subject, batch.note = form.cleaned_data["subject"], form.cleaned_data["note"]
    row = pending_rows(batch).first()
    if action == "preview_html" and row is not None:
        return show_email_html(request, preview_invitation(draft_of_row(batch, row, now)).html)
    return _report_page(request, member, batch, form)


@require_safe
@for_members
def bad_rows(request: HttpRequest, member: PartnerMember, batch_id: int) -> HttpResponseBase:
    """Hand out the rows without an invitation, to be corrected and uploaded again."""
    batch = _batch_of(member, batch_id)
    header = ("row", "name", "email", "country", "note", "reason")
    rows = batch.rows.exclude(problem="").order_by("number").iterator()
    # Translated here: while the rows are sent, the reader's language is no longer the active one.
    reasons = {code: str(sentence) for code, sentence in SENTENCES.items()}
    cells = (
        (row.number, row.name, row.email, row.country, row.note, reasons[row.problem])
        for row in rows
    )
    return csv_download(f"invitations-{batch.pk}-bad-rows", header, cells)


def _start(
    request: HttpRequest,
    member: PartnerMember,
    batch: InvitationBatch,
    form: MailingForm,
    now: datetime,
) -> HttpResponseBase:
    """Start the batch, or show why not; a second start does nothing."""
    try:
        start_mailing(batch=batch, by=member.user, now=now, **form.cleaned_data)
    except Refused as refused:
        form.add_error(None, sentence_for(refused))
        return as_refusal(_report_page(request, member, batch, form), refused.again_at)
    return see_other("console_batch", batch_id=batch.pk)


def _batch_of(member: PartnerMember, batch_id: int) -> InvitationBatch:
    """Return the member's batch of e-mails; for others the page does not exist."""
    own = member.partner.batches.visible_to(member).filter(channel=Channel.EMAIL)
    return get_object_or_404(own.select_related("partner"), pk=batch_id)


def _copied(request: HttpRequest, member: PartnerMember) -> dict[str, Any] | None:
    """Return what the form begins with when the address names a list to be like."""
    text = request.GET.get("copy")
    if text is None or request.method == "POST":
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Http404
    like = _batch_of(member, int(text))
    is_ahead = like.expires_at is not None and like.expires_at > timezone.now()
    return {
        "association_type": like.association_type,
        "subject": like.subject or default_subject(like.partner),
        "note": like.note,
        "country": like.country,
        "language": like.language,
        "label": like.label,
        "expires_at": like.expires_at if is_ahead else None,
        "recipient_only": like.is_bound,
    }


def _form_page(
    request: HttpRequest, member: PartnerMember, form: ManyEmailsForm, *, status: int = 200
) -> HttpResponse:
    bad = [person for person in getattr(form, "listed", []) if person.problem]
    context = {
        "form": form,
        "bad_rows": [(row, SENTENCES[row.problem]) for row in bad[:SHOWN] if row.problem],
        "bad_count": len(bad),
        "is_frozen": member.partner.status != PartnerStatus.NORMAL,
        "back_url": reverse("console_invitations"),
    }
    return show(
        request, member, "partners/email_many.html", context, section=SECTION, status=status
    )


def _report_page(
    request: HttpRequest,
    member: PartnerMember,
    batch: InvitationBatch,
    form: MailingForm,
    *,
    status: int = 200,
) -> HttpResponse:
    """Show the list's report; while it is a draft also its first mail, and the way to start."""
    bad = batch.rows.exclude(problem="").order_by("number")
    context: dict[str, Any] = {
        "batch": batch,
        "form": form,
        "bad_rows": [(row, _reason(row)) for row in bad[:SHOWN]],
        "bad_count": bad.count(),
        "sender": from_address(),
        "back_url": reverse("console_batches"),
    }
    row = pending_rows(batch).first() if batch.state == "draft" else None
    if row is not None:
        context["recipient"] = row.email
        context["mail"] = preview_invitation(draft_of_row(batch, row, timezone.now()))
    return show(request, member, "partners/mailing.html", context, section=SECTION, status=status)


def _reason(row: BatchRow) -> str:
    return str(SENTENCES[row.problem])
