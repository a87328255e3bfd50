"""The console's history: the list of attempts, its CSV, and the page of one attempt."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from association.enums import Operation
from association.forms.filters import HistoryForm
from association.models import Association, Attempt
from association.refusals import sentence_for
from association.services.following_up import follow_up
from association.services.history import (
    NEWEST_FIRST,
    find_attempts,
    known_address,
    reveal_address,
)
from association.services.partner_messages import advise, remind_to_finish
from association.views.console.attempt_actions import actions_of, deadline_of
from association.views.console.attempt_rows import COLUMNS, cells_of, detail_of, row_of
from partners.models import Invitation, PartnerMember
from partners.services.pages import pages_of
from partners.views.downloads import csv_of
from partners.views.gate import for_members, show
from partners.views.lists import asked_for, filters_of, listing
from partners.views.shared import report_mailing
from web.answers import as_refusal, posts_only, see_other
from web.email_addresses import mask_address
from web.form_keys import answer_once
from web.refused import Refused

SECTION = "history"
ROWS_READ_AT_ONCE = 1_000
SENT_ALREADY = gettext_lazy("%(address)s has been sent it already. Nothing was sent a second time.")
LIST, DETAIL = "association/console/history.html", "association/console/attempt.html"


class Source(NamedTuple):
    """The invitation or batch to which the list is limited, and the list without that filter.

    Title and page are empty where the member has none with this key.
    """

    title: str
    url: str
    without_url: str


@require_safe
@for_members
def history(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    form = HistoryForm(request.GET)
    if not form.is_valid():
        return _show_errors(request, member, form)
    found = listing(request, form, _filtered(form, member), order=NEWEST_FIRST)
    actions = actions_of(found.page.rows, member, now=timezone.now())
    context = {
        "listing": found,
        "rows": [
            row_of(row, member) | {"action": actions.get(row.pk), "deadline": deadline_of(row)}
            for row in found.page.rows
        ],
        "q": filters_of(form).get("q", ""),
        "sources": _sources(request, member, form),
        "export_url": f"{reverse('console_history_csv')}?{found.query}",
    }
    return show(request, member, LIST, context, section=SECTION)


def _sources(request: HttpRequest, member: PartnerMember, form: HistoryForm) -> list[Source]:
    sources = []
    invitation, batch = form.cleaned_data["invitation"], form.cleaned_data["batch"]
    if invitation:
        offer = member.partner.invitations.visible_to(member).filter(pk=invitation).first()
        url = reverse("console_invitation", args=[invitation])
        title = member.readable(offer.label) if offer else ""
        sources.append(_source(request, "invitation", title, url))
    if batch:
        made = member.partner.batches.visible_to(member).filter(pk=batch).first()
        url = reverse("console_batch", args=[batch])
        sources.append(_source(request, "batch", made.title if made else "", url))
    return sources


def _source(request: HttpRequest, name: str, title: str, url: str) -> Source:
    query = asked_for(request.GET)
    query.pop(name, None)
    without_url = f"{reverse('console_history')}?{query.urlencode()}"
    return Source(title, url if title else "", without_url)


@require_safe
@for_members
def history_csv(request: HttpRequest, member: PartnerMember) -> HttpResponseBase:
    """Stream what the list shows, all pages of it."""
    form = HistoryForm(request.GET)
    if not form.is_valid():
        return _show_errors(request, member, form)
    pages = pages_of(_filtered(form, member), order=NEWEST_FIRST, size=ROWS_READ_AT_ONCE)
    rows = (cells_of(row, member) for page in pages for row in page)
    return csv_of(member, "history", COLUMNS, rows)


@require_safe
@for_members
def attempt(request: HttpRequest, member: PartnerMember, attempt_id: UUID) -> HttpResponse:
    return _show_attempt(request, member, _find(member, attempt_id))


@for_members
@posts_only("console_attempt", "attempt_id")
def reveal(request: HttpRequest, member: PartnerMember, attempt_id: UUID) -> HttpResponse:
    """Show the page with the whole address, this once."""
    if not member.may_reveal_addresses:
        raise Http404
    found = _find(member, attempt_id)
    try:
        address = reveal_address(attempt=found, by=member.user, now=timezone.now())
    except Refused as refused:
        return _show_refusal(request, member, found, refused)
    return _show_attempt(request, member, found, address=address)


@for_members
@posts_only("console_attempt", "attempt_id")
def send_follow_up(request: HttpRequest, member: PartnerMember, attempt_id: UUID) -> HttpResponse:
    """Send an invitation, or the message about the refusals. Sends once."""
    found, now = _find(member, attempt_id), timezone.now()
    operation = request.POST.get("operation", "")
    try:
        if operation == Operation.MESSAGE_CUSTOMER:
            is_sent = advise(attempt=found, by=member.user, now=now)
            text = _("The message to %(address)s is on its way.") if is_sent else SENT_ALREADY
            messages.success(request, text % {"address": _address(found, member)})
        else:
            sent = follow_up(attempt=found, operation=operation, by=member.user, now=now)
            _report(request, member, sent, now)
    except Refused as refused:
        return _show_refusal(request, member, _find(member, attempt_id), refused)
    return see_other("console_attempt", found.pk)


def _report(request: HttpRequest, member: PartnerMember, sent: Invitation, now: datetime) -> None:
    address = sent.recipient if member.sees_addresses else sent.masked_recipient
    if sent.is_withheld or sent.mailed_at == now:
        report_mailing(request, sent, address)
    else:
        messages.info(request, SENT_ALREADY % {"address": address})


@for_members
@posts_only("console_attempt", "attempt_id")
def remind(request: HttpRequest, member: PartnerMember, attempt_id: UUID) -> HttpResponse:
    """Remind somebody who has put joining off."""
    found = _find(member, attempt_id)

    def act() -> str:
        remind_to_finish(attempt=found, by=member.user, now=timezone.now())
        text = _("The reminder to %(address)s is on its way.")
        messages.success(request, text % {"address": _address(found, member)})
        return reverse("console_attempt", args=[found.pk])

    try:
        return answer_once(request, act)
    except Refused as refused:
        return _show_refusal(request, member, _find(member, attempt_id), refused)


def _address(found: Attempt, member: PartnerMember) -> str:
    """Return the address as the member reads it on the page."""
    address = known_address(found)
    return address if member.sees_addresses else mask_address(address)


def _show_refusal(
    request: HttpRequest, member: PartnerMember, found: Attempt, refused: Refused
) -> HttpResponse:
    messages.error(request, sentence_for(refused))
    return as_refusal(_show_attempt(request, member, found), refused.again_at)


def _show_errors(request: HttpRequest, member: PartnerMember, form: HistoryForm) -> HttpResponse:
    """Show the errors of the filters; what was typed stays, and nothing is listed."""
    context = {"form": form, "listing": {"form": form, "is_filtered": True}}
    return show(request, member, LIST, context, section=SECTION, status=400)


def _find(member: PartnerMember, attempt_id: UUID) -> Attempt:
    rows = member.partner.attempts.visible_to(member).select_related(
        "account__owner", "association", "invitation__partner"
    )
    return get_object_or_404(rows, pk=attempt_id)


def _show_attempt(
    request: HttpRequest, member: PartnerMember, found: Attempt, *, address: str = ""
) -> HttpResponse:
    context = {
        **detail_of(found, member, now=timezone.now()),
        "address": address,
        "customer": _customer(found, member),
        "back_url": reverse("console_history"),
    }
    return show(request, member, DETAIL, context, section=SECTION)


def _customer(found: Attempt, member: PartnerMember) -> Association | None:
    """Return the attempt's association if the member may open it as a customer."""
    association: Association | None = getattr(found, "association", None)
    if association is None:
        return None
    is_own = member.is_administrator or association.manager_id == member.pk
    return association if is_own else None


def _filtered(form: HistoryForm, member: PartnerMember) -> QuerySet[Attempt]:
    return find_attempts(member=member, filters=filters_of(form))
