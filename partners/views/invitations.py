"""The console's invitations: the list, and one with its link, code, counts and actions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from partners.emails import default_subject
from partners.enums import Channel, DeliveryState
from partners.forms.filters import InvitationListForm
from partners.models import Invitation, InvitationBatch, PartnerMember
from partners.services.bulk_actions import recent_bulk_actions
from partners.services.bulk_invitations import PERFORMERS
from partners.services.delivery_state import deliveries_of, undelivered_of
from partners.services.invitation_search import find_invitations, order_of
from partners.services.invitations import resend_invitation
from partners.services.known_people import customers_among
from partners.services.pages import Count
from partners.services.progress import counts_of_batches, joined_by_batches, progress_of
from partners.services.quotas import mailable_again_at
from partners.services.unsubscribe_links import unsubscribed_recipients
from partners.views.gate import for_members, show
from partners.views.lists import filters_of, is_filtered, listing
from partners.views.refusing import answer_action
from partners.views.shared import (
    SECTION,
    bars_of,
    batches_of,
    invitation_of,
    log_shown,
    people_urls,
    state_of,
)
from web.answers import posts_only


@require_safe
@for_members
def invitations(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    return show_invitations(request, member)


def show_invitations(
    request: HttpRequest, member: PartnerMember, bulk_error: str = ""
) -> HttpResponse:
    """Show the list; `bulk_error` says why nothing became of an action on its rows."""
    now = timezone.now()
    form = InvitationListForm(request.GET, member=member)
    filters = filters_of(form)
    rows = find_invitations(member, filters, now=now).select_related("partner")
    # Who looks for nothing sees each batch as one line; a search or filter finds its invitations.
    is_folded = not is_filtered(form)
    batches = batches_of(member).undiscarded()
    sets = [rows.filter(batch=None), batches] if is_folded else [rows]
    found = listing(request, form, *sets, order=order_of(filters))
    context = {
        "listing": found,
        "bulk_error": bulk_error,
        "batches": counts_of_batches(batches) if is_folded and not found.count.is_more else None,
        "rows": _lines(found.page.rows, now),
        "is_folded": is_folded,
        "batch": _chosen_batch(member, filters),
        "bulk_actions": recent_bulk_actions(member, PERFORMERS, now=now),
        "reset_url": reverse("console_invitations"),
    }
    return show(request, member, "partners/invitations.html", context, section=SECTION)


def _lines(rows: list[Any], now: datetime) -> list[dict[str, Any]]:
    """Return what the list shows of each invitation, and of each batch that stands for its own."""
    single = [row for row in rows if isinstance(row, Invitation)]
    progress, unsubscribed = progress_of(single), unsubscribed_recipients(single)
    undelivered = undelivered_of(single, now)
    joined = joined_by_batches([row for row in rows if isinstance(row, InvitationBatch)])
    return [
        {
            "invitation": row,
            "state": state_of(row, now),
            "progress": progress[row.pk],
            "associated": Count(row.used_count, is_more=False),
            "people_urls": people_urls(invitation=row.pk),
            "is_unsubscribed": row.pk in unsubscribed,
            "undelivered": undelivered.get(row.pk),
        }
        if isinstance(row, Invitation)
        else {"batch": row, "joined": joined[row.pk]}
        for row in rows
    ]


@require_safe
@for_members
def invitation(request: HttpRequest, member: PartnerMember, invitation_id: int) -> HttpResponse:
    offer = invitation_of(member, invitation_id, "created_by", "revoked_by")
    log_shown(offer, member, what="page")
    now = timezone.now()
    state = state_of(offer, now)
    progress = progress_of([offer])[offer.pk]
    delivery = deliveries_of([offer]).get(offer.pk)
    context = {
        "invitation": offer,
        "state": state,
        "by_email": offer.channel == Channel.EMAIL,
        "delivery": delivery,
        "undelivered": delivery if offer.is_undelivered(now) else None,
        "is_customer": bool(
            offer.recipient and customers_among([offer.recipient], partner=offer.partner)
        ),
        "is_unsubscribed": delivery is not None and delivery.state == DeliveryState.UNSUBSCRIBED,
        "funnel": bars_of(
            people_urls(invitation=offer.pk),
            started=progress.started,
            registered=progress.registered,
            associated=Count(offer.used_count, is_more=False),
            refused=progress.refused,
        ),
        "mailto": _mailto(offer, member),
        "again_at": mailable_again_at(offer.recipient, now=now) if offer.recipient else None,
        "back_url": reverse("console_invitations"),
    }
    return show(request, member, "partners/invitation.html", context, section=SECTION)


@for_members
@posts_only("console_invitation", "invitation_id")
def resend(request: HttpRequest, member: PartnerMember, invitation_id: int) -> HttpResponse:
    offer = invitation_of(member, invitation_id)
    url = reverse("console_invitation", args=[offer.pk])

    def send() -> str:
        resend_invitation(invitation=offer, by=member.user, now=timezone.now())
        messages.success(request, _("The invitation is on its way again."))
        return url

    return answer_action(request, member, send, section=SECTION, back_url=url)


def _mailto(invitation: Invitation, member: PartnerMember) -> str:
    """Return an address that opens an e-mail with the link, for the member to send.

    It is to the recipient where the page shows the address.
    """
    to = invitation.recipient if member.may_reveal_addresses else ""
    names = {
        "partner": invitation.partner.name,
        "provider": settings.PROVIDER_NAME,
        "link": invitation.link,
    }
    subject = default_subject(invitation.partner)
    body = _("Open this link to join %(partner)s on %(provider)s:\n\n%(link)s\n") % names
    return f"mailto:{quote(to, safe='@')}?subject={quote(subject)}&body={quote(body)}"


def _chosen_batch(member: PartnerMember, filters: Mapping[str, Any]) -> InvitationBatch | None:
    key = filters.get("batch")
    return None if key is None else batches_of(member).filter(pk=key).first()
