"""The console's history: every attempt, how far it came, and what can be done about it."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.views.answers import see_other
from accounts.views.downloads import csv_download
from association.forms import HistoryForm
from association.models import Association, Attempt
from association.services.following_up import NotPossible, follow_up
from association.services.history import (
    NEWEST_FIRST,
    AddressUnknown,
    attempts_for,
    in_chunks,
    reveal_address,
)
from association.views.console.walks import COLUMNS, cells_of, detail_of, row_of
from partners.models import PartnerMember
from partners.refusals import sentence_for
from partners.services.invitations import InvitationNotSaved
from partners.views.gate import for_members, show
from partners.views.lists import listing, wishes_of
from partners.views.refusing import as_refusal
from web.refused import Refused

SECTION = "history"
LIST, DETAIL = "association/console/history.html", "association/console/attempt.html"


@require_safe
@for_members
def history(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    """List the attempts, newest first."""
    form = HistoryForm(request.GET)
    if not form.is_valid():
        return _refuse(request, member, form)
    found = listing(request, form, _wished(form, member), order=NEWEST_FIRST)
    context = {
        "listing": found,
        "rows": [row_of(attempt) for attempt in found.page.rows],
        "invitation": _invitation_wished(form, member),
        "export_url": f"{reverse('console_history_csv')}?{found.query}",
    }
    return show(request, member, LIST, context, section=SECTION)


@require_safe
@for_members
def history_csv(request: HttpRequest, member: PartnerMember) -> HttpResponseBase:
    """Stream what the list shows, all pages of it; addresses are masked."""
    form = HistoryForm(request.GET)
    if not form.is_valid():
        return _refuse(request, member, form)
    return csv_download("history", COLUMNS, _lines(_wished(form, member)))


@require_safe
@for_members
def attempt(request: HttpRequest, member: PartnerMember, attempt_id: UUID) -> HttpResponse:
    """Show one walk step by step, what refused it, and what can be done."""
    return _show_attempt(request, member, _find(member, attempt_id))


@require_POST
@for_members
def reveal(request: HttpRequest, member: PartnerMember, attempt_id: UUID) -> HttpResponse:
    """Show the page with the whole address, this once, to whoever may read it."""
    if not member.sees_addresses:
        raise Http404
    found = _find(member, attempt_id)
    try:
        address = reveal_address(attempt=found, by=member.user, now=timezone.now())
    except AddressUnknown:
        messages.error(request, _("No address is known yet."))
        return _show_attempt(request, member, found, status=409)
    return _show_attempt(request, member, found, address=address)


@require_POST
@for_members
def act(request: HttpRequest, member: PartnerMember, attempt_id: UUID) -> HttpResponse:
    """Send the invitation again, or invite the account by e-mail; a double click sends one."""
    found, now = _find(member, attempt_id), timezone.now()
    operation = request.POST.get("operation", "")
    try:
        sent = follow_up(attempt=found, operation=operation, by=member.user, now=now)
    except InvitationNotSaved as refused:
        messages.error(request, sentence_for(refused))
        page = _show_attempt(request, member, _find(member, attempt_id), status=409)
        return as_refusal(page, refused, now)
    except (NotPossible, Refused):
        messages.error(
            request, _("This does not help here, or no longer. The page shows what does.")
        )
        return _show_attempt(request, member, _find(member, attempt_id), status=409)
    said = {"address": sent.masked_recipient}
    if sent.mailed_at == now:
        messages.success(request, _("The invitation to %(address)s is on its way.") % said)
    else:
        text = _("%(address)s has just been sent it. Nothing was sent a second time.")
        messages.info(request, text % said)
    return see_other("console_attempt", found.pk)


def _refuse(request: HttpRequest, member: PartnerMember, form: HistoryForm) -> HttpResponse:
    """Say which wish makes no sense; what was typed stays, and nothing is listed."""
    context = {"form": form, "listing": {"form": form, "is_filtered": True}}
    return show(request, member, LIST, context, section=SECTION, status=400)


def _find(member: PartnerMember, attempt_id: UUID) -> Attempt:
    rows = member.partner.attempts.visible_to(member).select_related(
        "account__owner", "association", "invitation__partner"
    )
    return get_object_or_404(rows, pk=attempt_id)


def _show_attempt(
    request: HttpRequest,
    member: PartnerMember,
    found: Attempt,
    *,
    address: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        **detail_of(found, now=timezone.now()),
        "address": address,
        "customer": _customer(found, member),
        "back_url": reverse("console_history"),
    }
    return show(request, member, DETAIL, context, section=SECTION, status=status)


def _customer(found: Attempt, member: PartnerMember) -> Association | None:
    """Return what the attempt led to, while the member may open it as a customer."""
    association: Association | None = getattr(found, "association", None)
    if association is None or association.ended_at is not None:
        return None
    is_own = member.is_administrator or association.manager_id == member.pk
    return association if is_own else None


def _wished(form: HistoryForm, member: PartnerMember) -> QuerySet[Attempt]:
    return attempts_for(member=member, wishes=wishes_of(form))


def _invitation_wished(form: HistoryForm, member: PartnerMember) -> Any:
    """Return the one invitation that was asked for, if the member may see it."""
    key = form.cleaned_data["invitation"]
    return key and member.partner.invitations.visible_to(member).filter(pk=key).first()


def _lines(rows: QuerySet[Attempt]) -> Iterator[list[Any]]:
    return (cells_of(row) for row in in_chunks(rows))
