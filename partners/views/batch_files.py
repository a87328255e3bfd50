"""What a batch of links is handed out as: a table, an archive of QR codes, sheets of labels."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from audit.security_log import log_security_event
from partners.enums import Channel
from partners.models import Invitation, InvitationBatch, PartnerMember
from partners.services.archives import FORMATS, qr_archive
from partners.services.pages import Order, page_of
from partners.services.qr import qr_drawing
from partners.views.batches import batch_of
from partners.views.gate import for_members, show
from partners.views.shared import SECTION, states
from web.downloads import as_attachment, csv_download

AS_MADE = Order("created_at", descending=False)
LABELS_A_SHEET = 24
LABELS_A_PAGE = 10 * LABELS_A_SHEET
_ROWS_AT_ONCE = 500


@require_safe
@for_members
def links(request: HttpRequest, member: PartnerMember, batch_id: int) -> HttpResponseBase:
    made = _batch_of_links(member, batch_id, shown="links")
    # Translated here: while the rows are sent, the reader's language is no longer the active one.
    header = [_("Label"), _("Link"), _("Token"), _("State")]
    words, now = states(), timezone.now()
    rows = (
        [row.label, row.link, row.grouped_token, words[row.refusal(now)].label]
        for row in _invitations(member, made)
    )
    return csv_download(f"links-{made.pk}", header, rows)


@require_safe
@for_members
def codes(request: HttpRequest, member: PartnerMember, batch_id: int) -> HttpResponseBase:
    made = _batch_of_links(member, batch_id, shown="codes")
    kind = request.GET.get("format", FORMATS[0])
    if kind not in FORMATS:
        raise Http404
    archive = qr_archive(invitations=_invitations(member, made), kind=kind, made_at=made.created_at)
    response = StreamingHttpResponse(archive, content_type="application/zip")
    return as_attachment(response, f"qr-codes-{made.pk}-{kind}.zip")


@require_safe
@for_members
def labels(request: HttpRequest, member: PartnerMember, batch_id: int) -> HttpResponse:
    made = _batch_of_links(member, batch_id, shown="labels")
    page = page_of(
        made.invitations.all(),
        order=AS_MADE,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
        size=LABELS_A_PAGE,
    )
    drawn = [(label, qr_drawing(invitation=label)) for label in page.rows]
    starts = range(0, len(drawn), LABELS_A_SHEET)
    context = {
        "batch": made,
        "page": page,
        "sheets": [drawn[start : start + LABELS_A_SHEET] for start in starts],
        "host": urlsplit(settings.PUBLIC_BASE_URL).netloc,
        "back_url": reverse("console_batch", args=[made.pk]),
    }
    return show(request, member, "partners/batch_labels.html", context, section=SECTION)


def _batch_of_links(member: PartnerMember, batch_id: int, *, shown: str) -> InvitationBatch:
    """Return the member's batch of links; the security log says that they are shown again."""
    made = batch_of(member, batch_id)
    if made.channel != Channel.LINK:
        raise Http404
    log_security_event("batch.shown", batch=made.pk, member=member.pk, shown=shown)
    return made


def _invitations(member: PartnerMember, batch: InvitationBatch) -> Iterator[Invitation]:
    rows = batch.invitations.order_by("created_at", "pk")
    for invitation in rows.iterator(chunk_size=_ROWS_AT_ONCE):
        invitation.partner = member.partner
        yield invitation
