"""The console's batches: the list, a new one, how far one has come, what is handed out of it."""

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from partners.enums import BatchState, Channel, InvitationProblem
from partners.forms.bulk import BatchNameForm, NumberRangeForm
from partners.forms.filters import BatchListForm
from partners.forms.links import LinkBatchForm, allowed_types
from partners.models import Invitation, InvitationBatch, PartnerMember
from partners.refusals import SENTENCES
from partners.services.archives import FORMATS, qr_archive
from partners.services.batches import cancel_batch, rename_batch, start_links
from partners.services.bulk_actions import recent_bulk_actions
from partners.services.bulk_invitations import PERFORMERS
from partners.services.delivery_state import UNDELIVERED, count_deliveries, deliveries_of_batch
from partners.services.invitation_search import AS_MADE
from partners.services.pages import Count, Order, page_of
from partners.services.progress import joined_by_batches, progress_of_batch
from partners.services.qr import Drawing, qr_drawing
from partners.views.downloads import csv_of
from partners.views.gate import for_members, show
from partners.views.lists import filters_of, listing
from partners.views.outcomes import (
    delivery_words,
    outcomes_download,
    undelivered_download,
    with_code,
)
from partners.views.refusing import answer_form, answer_or_conflict, refusal_page, status_of
from partners.views.shared import (
    SECTION,
    bars_of,
    batch_of,
    batches_of,
    invitations_of,
    people_urls,
    states,
    why_no_link,
)
from web.answers import posted, see_other
from web.downloads import as_attachment
from web.security_log import log_security_event

NEWEST_FIRST = Order("created_at")
LABELS_A_SHEET = 24
LABELS_A_PAGE = 10 * LABELS_A_SHEET
_ROWS_AT_ONCE = 500


@require_safe
@for_members
def batches(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    form = BatchListForm(request.GET)
    filters = filters_of(form)
    rows = batches_of(member).select_related("created_by")
    if "q" in filters:
        rows = rows.called(filters["q"])
    if "state" in filters:
        rows = rows.in_state(filters["state"])
    context = {
        "listing": listing(request, form, rows, order=NEWEST_FIRST),
        "reset_url": reverse("console_batches"),
        "back_url": reverse("console_invitations"),
    }
    return show(request, member, "partners/batches.html", context, section=SECTION)


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def new_batch(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    now = timezone.now()
    form = LinkBatchForm(posted(request), partner=member.partner, now=now)

    def start() -> str:
        batch = start_links(partner=member.partner, by=member.user, now=now, **form.cleaned_data)
        return reverse("console_batch", args=[batch.pk])

    template, why_not = "partners/batch_new.html", why_no_link(member)
    context = {"types": allowed_types(member.partner), "back_url": reverse("console_invitations")}
    return answer_form(
        request, member, form, start, template, context, section=SECTION, why_not=why_not
    )


@require_safe
@for_members
def batch(request: HttpRequest, member: PartnerMember, batch_id: int) -> HttpResponse:
    shown = batch_of(member, batch_id)
    if shown.channel == Channel.EMAIL and shown.started_at is None:
        return redirect("console_mailing", batch_id=shown.pk)
    return show_batch(request, member, shown, NumberRangeForm(batch=shown))


def show_batch(
    request: HttpRequest, member: PartnerMember, shown: InvitationBatch, form: NumberRangeForm
) -> HttpResponse:
    """Show the page; the form says with which numbers its links are acted on."""
    by_email = shown.channel == Channel.EMAIL
    context = {
        "batch": shown,
        "form": form,
        "by_email": by_email,
        "stop_reason": SENTENCES.get(shown.stop_reason, ""),
        "unsubscribed_count": shown.rows.filter(
            problem=InvitationProblem.DOES_NOT_WANT_EMAIL
        ).count(),
        "funnel": _funnel(shown),
        "deliveries": _deliveries(shown) if by_email else [],
        "unfinished_count": invitations_of(member).filter(batch=shown).unfinished().count(),
        "bulk_actions": recent_bulk_actions(member, PERFORMERS, batch=shown, now=timezone.now()),
        "back_url": reverse("console_invitations"),
    }
    template, status = "partners/batch.html", status_of(form)
    return show(request, member, template, context, section=SECTION, status=status)


def _funnel(batch: InvitationBatch) -> list[dict[str, Any]]:
    progress = progress_of_batch(batch)
    return bars_of(
        people_urls(batch=batch.pk),
        invited=Count(batch.made_count, is_more=False),
        started=progress.started,
        registered=progress.registered,
        associated=joined_by_batches([batch])[batch.pk],
        refused=progress.refused,
    )


def _deliveries(batch: InvitationBatch) -> list[dict[str, Any]]:
    """Return how many e-mails have which delivery, in words."""
    words = delivery_words()
    return [
        {
            "number": number,
            "word": with_code(words[state], code),
            "is_undelivered": state in UNDELIVERED,
        }
        for state, code, number in count_deliveries(deliveries_of_batch(batch).values())
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def rename(request: HttpRequest, member: PartnerMember, batch_id: int) -> HttpResponse:
    shown = batch_of(member, batch_id)
    present = {"name": shown.name}
    form = BatchNameForm(posted(request), shows=present, initial={"name": shown.title})
    page_url = reverse("console_batch", args=[shown.pk])

    def write() -> str:
        rename_batch(batch=shown, by=member.user, now=timezone.now(), **form.cleaned_data)
        messages.success(request, _("The name is saved."))
        return page_url

    context = {"form": form, "batch": shown, "back_url": page_url}
    return answer_or_conflict(
        request,
        form,
        write,
        lambda: show(
            request,
            member,
            "partners/batch_name.html",
            context,
            section=SECTION,
            status=status_of(form),
        ),
    )


@require_safe
@for_members
def outcomes(request: HttpRequest, member: PartnerMember, batch_id: int) -> HttpResponseBase:
    made = batch_of(member, batch_id)
    _log_shown(made, member, what="outcomes")
    rows = invitations_of(member).filter(batch=made)
    return outcomes_download(member, rows, name=f"outcomes-{made.pk}")


@require_safe
@for_members
def undelivered(request: HttpRequest, member: PartnerMember, batch_id: int) -> HttpResponseBase:
    return undelivered_download(member, batch_of(member, batch_id))


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def cancel(request: HttpRequest, member: PartnerMember, batch_id: int) -> HttpResponse:
    shown = batch_of(member, batch_id)
    if request.method == "POST":
        cancelled = cancel_batch(batch=shown, by=member.user, now=timezone.now())
        if cancelled.state == BatchState.FINISHED:
            messages.info(request, _("The batch was finished before it could be cancelled."))
        return see_other("console_batch", batch_id=shown.pk)
    context = {"batch": shown, "back_url": reverse("console_batch", args=[shown.pk])}
    return show(request, member, "partners/batch_cancel.html", context, section=SECTION)


@require_safe
@for_members
def links(request: HttpRequest, member: PartnerMember, batch_id: int) -> HttpResponseBase:
    made = _batch_of_links(member, batch_id)
    _log_shown(made, member, what="links")
    header = [_("Label"), _("Link"), _("Token"), _("State")]
    words, now = states(), timezone.now()
    rows = (
        [member.readable(row.label), row.link, row.grouped_token, words[row.refusal(now)].label]
        for row in _invitations(member, made)
    )
    return csv_of(member, f"links-{made.pk}", header, rows)


@require_safe
@for_members
def codes(request: HttpRequest, member: PartnerMember, batch_id: int) -> HttpResponseBase:
    made = _batch_of_links(member, batch_id)
    kind = request.GET.get("format", FORMATS[0])
    if kind not in FORMATS:
        raise Http404
    if why_no_link(member):
        return _refuse(request, member, made)
    _log_shown(made, member, what="codes")
    archive = qr_archive(
        invitations=_invitations(member, made),
        kind=kind,
        made_at=made.created_at,
        now=timezone.now(),
    )
    response = StreamingHttpResponse(archive, content_type="application/zip")
    return as_attachment(response, f"qr-codes-{made.pk}-{kind}.zip")


@require_safe
@for_members
def labels(request: HttpRequest, member: PartnerMember, batch_id: int) -> HttpResponse:
    made = _batch_of_links(member, batch_id)
    if why_no_link(member):
        return _refuse(request, member, made)
    _log_shown(made, member, what="labels")
    page = page_of(
        made.invitations.all(),
        order=AS_MADE,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
        size=LABELS_A_PAGE,
    )
    drawn = _labels(member, page.rows)
    starts = range(0, len(drawn), LABELS_A_SHEET)
    context = {
        "batch": made,
        "page": page,
        "sheets": [drawn[start : start + LABELS_A_SHEET] for start in starts],
        "host": urlsplit(settings.PUBLIC_BASE_URL).netloc,
        "back_url": reverse("console_batch", args=[made.pk]),
    }
    return show(request, member, "partners/batch_labels.html", context, section=SECTION)


def _batch_of_links(member: PartnerMember, batch_id: int) -> InvitationBatch:
    made = batch_of(member, batch_id)
    if made.channel != Channel.LINK:
        raise Http404
    return made


def _log_shown(batch: InvitationBatch, member: PartnerMember, *, what: str) -> None:
    """Log for security that the links are shown again."""
    log_security_event("batch.shown", batch=batch.pk, member=member.pk, shown=what)


def _labels(
    member: PartnerMember, rows: Iterable[Invitation]
) -> list[tuple[Invitation, Drawing | None, str]]:
    """Return each label with its QR code, or with the word for why it cannot be followed now."""
    words, now, drawn = states(), timezone.now(), []
    for label in rows:
        label.partner = member.partner
        state = words[label.refusal(now)]
        code = qr_drawing(invitation=label) if state.is_live else None
        drawn.append((label, code, state.label))
    return drawn


def _refuse(request: HttpRequest, member: PartnerMember, batch: InvitationBatch) -> HttpResponse:
    back_url = reverse("console_batch", args=[batch.pk])
    return refusal_page(request, member, why_no_link(member), section=SECTION, back_url=back_url)


def _invitations(member: PartnerMember, batch: InvitationBatch) -> Iterator[Invitation]:
    rows = batch.invitations.order_by("created_at", "pk")
    for invitation in rows.iterator(chunk_size=_ROWS_AT_ONCE):
        invitation.partner = member.partner
        yield invitation
