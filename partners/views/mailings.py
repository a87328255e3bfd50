"""The console's pages to invite the people of a list: the upload, its report, the start."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from outbox.services.rendering import from_address
from partners.contact_lists.rows import EXAMPLE_ADDRESS
from partners.emails import preview_invitation
from partners.enums import BatchState, Channel
from partners.forms.emails import LARGEST_LIST, MailingForm, ManyEmailsForm
from partners.forms.links import copied_terms
from partners.list_words import REMARKS, describe_reading
from partners.models import BatchRow, InvitationBatch, PartnerMember
from partners.refusals import SENTENCES
from partners.services import mailings
from partners.services.mailings import (
    RowCounts,
    count_rows,
    draft_mailing,
    draft_of_row,
    row_for_preview,
    start_mailing,
)
from partners.views.downloads import csv_of
from partners.views.gate import for_members, show
from partners.views.refusing import answer_form, status_of
from partners.views.shared import SECTION, batches_of, copied_key
from web.answers import posted
from web.body_limits import accept_file
from web.downloads import show_email_html

UPLOAD, REPORT = "partners/email_many.html", "partners/mailing.html"
COLUMNS = ("name", "email", "country", "note", "reference")
# Reading a list knows this address, and does not invite it.
EXAMPLE = ("Ada Lovelace", EXAMPLE_ADDRESS, "Ireland", "It was good to meet you.", "C-1001")
SHOWN = 100
FIRST_PEOPLE = 10


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
            partner=member.partner,
            people=form.listed,
            reading=form.reading,
            by=member.user,
            now=now,
            **form.cleaned_data,
        )
        return reverse("console_mailing", args=[batch.pk])

    def context() -> dict[str, Any]:
        bad = [person for person in form.listed if person.problem]
        return {
            "reading": describe_reading(form.reading),
            "bad_rows": _with_words(bad[:SHOWN]),
            "bad_count": len({person.shown_row for person in bad}),
            "back_url": reverse("console_invitations"),
        }

    response = answer_form(request, member, form, draft, UPLOAD, context, section=SECTION)
    if form.is_too_large:
        response.status_code = 413
    return response


@require_safe
@for_members
def template(_request: HttpRequest, member: PartnerMember) -> HttpResponseBase:
    return csv_of(member, "people-to-invite", COLUMNS, [EXAMPLE])


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def mailing(request: HttpRequest, member: PartnerMember, batch_id: int) -> HttpResponseBase:
    """Show the report and the first e-mail; `action` is preview, preview_html or send."""
    batch, now = _batch_of(member, batch_id), timezone.now()
    counts = count_rows(batch)
    form = MailingForm(posted(request), batch=batch, invited_count=counts.invited)
    action = request.POST.get("action")
    if action == "send":

        def start() -> str:
            start_mailing(batch=batch, by=member.user, now=now, **form.cleaned_data)
            return reverse("console_batch", args=[batch.pk])

        report = partial(_report, batch, counts)
        return answer_form(request, member, form, start, REPORT, report, section=SECTION)
    if form.is_valid():
        batch.subject, batch.note = form.cleaned_data["subject"], form.cleaned_data["note"]
        row = row_for_preview(batch)
        if action == "preview_html" and row is not None:
            return show_email_html(request, preview_invitation(draft_of_row(batch, row, now)).html)
    context = {"form": form, "is_asked": form.is_valid(), **_report(batch, counts)}
    return show(request, member, REPORT, context, section=SECTION, status=status_of(form))


@require_safe
@for_members
def bad_rows(request: HttpRequest, member: PartnerMember, batch_id: int) -> HttpResponseBase:
    batch = _batch_of(member, batch_id)
    return _download(member, f"invitations-{batch.pk}-bad-rows", mailings.bad_rows(batch), "reason")


@require_safe
@for_members
def remarks(request: HttpRequest, member: PartnerMember, batch_id: int) -> HttpResponseBase:
    batch = _batch_of(member, batch_id)
    rows = mailings.remarked_rows(batch)
    return _download(member, f"invitations-{batch.pk}-remarks", rows, "remark")


def _download(member: PartnerMember, name: str, rows: Any, last: str) -> HttpResponseBase:
    words = SENTENCES | REMARKS
    cells = (
        (
            *(row.shown_row, row.name, row.email, row.country, row.note, row.reference),
            words[row.problem or row.remark],
        )
        for row in rows.iterator()
    )
    return csv_of(member, name, ("row", *COLUMNS, last), cells)


def _batch_of(member: PartnerMember, batch_id: int) -> InvitationBatch:
    own = batches_of(member).filter(channel=Channel.EMAIL)
    return get_object_or_404(own.select_related("partner", "created_by"), pk=batch_id)


def _report(batch: InvitationBatch, counts: RowCounts) -> dict[str, Any]:
    """Return the list's report; while it is a draft also its first e-mail."""
    context: dict[str, Any] = {
        "batch": batch,
        "counts": counts,
        "reading": describe_reading(batch.reading, is_sent=batch.started_at is not None),
        "remarked_rows": _with_words(mailings.remarked_rows(batch)[:SHOWN]),
        "bad_rows": _with_words(mailings.bad_rows(batch)[:SHOWN]),
        "back_url": reverse("console_batches"),
    }
    row = row_for_preview(batch) if batch.state == BatchState.DRAFT else None
    if row is not None:
        email = preview_invitation(draft_of_row(batch, row, timezone.now()))
        context |= {"email": email, "sender": from_address(), "recipient": row.email}
        context["first_people"] = mailings.first_people(batch, FIRST_PEOPLE)
    return context


def _with_words(rows: Iterable[BatchRow]) -> list[tuple[BatchRow, Any]]:
    """Return the rows, each with the sentence about its problem or its remark."""
    words = SENTENCES | REMARKS
    return [(row, words[row.problem or row.remark]) for row in rows]
