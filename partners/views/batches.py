"""The console's batches: the list, a new one, how far one has come, cancelling it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from partners.enums import Channel
from partners.forms.batches import LinkBatchForm
from partners.forms.filters import BatchListForm
from partners.forms.links import allowed_types
from partners.models import InvitationBatch, PartnerMember
from partners.models.batches import InvitationBatchQuerySet
from partners.refusals import SENTENCES
from partners.services.batches import cancel_batch, start_links
from partners.services.pages import Order
from partners.views.gate import for_members, show
from partners.views.lists import filters_of, listing
from partners.views.refusing import answer_form
from partners.views.shared import SECTION, why_no_link
from web.answers import posted, see_other

NEWEST_FIRST = Order("created_at")


@require_safe
@for_members
def batches(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    form = BatchListForm(request.GET)
    filters = filters_of(form)
    rows = batches_of(member).select_related("created_by")
    if "q" in filters:
        rows = rows.filter(label__icontains=filters["q"])
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
    context = {
        "batch": shown,
        "by_email": shown.channel == Channel.EMAIL,
        "stop_reason": SENTENCES.get(shown.stop_reason, ""),
        "back_url": reverse("console_batches"),
    }
    return show(request, member, "partners/batch.html", context, section=SECTION)


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def cancel(request: HttpRequest, member: PartnerMember, batch_id: int) -> HttpResponse:
    shown = batch_of(member, batch_id)
    if request.method == "POST":
        if cancel_batch(batch=shown, by=member.user, now=timezone.now()).state == "finished":
            messages.info(request, _("The batch was finished before it could be cancelled."))
        return see_other("console_batch", batch_id=shown.pk)
    context = {"batch": shown, "back_url": reverse("console_batch", args=[shown.pk])}
    return show(request, member, "partners/batch_cancel.html", context, section=SECTION)


def batches_of(member: PartnerMember) -> InvitationBatchQuerySet:
    return member.partner.batches.visible_to(member)


def batch_of(member: PartnerMember, batch_id: int) -> InvitationBatch:
    """Return the member's batch; for others the page does not exist."""
    return get_object_or_404(batches_of(member).select_related("created_by"), pk=batch_id)
