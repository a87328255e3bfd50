"""The console's invitations: the list, and one with its link, code, counts and actions."""

from collections.abc import Mapping
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
from partners.services.delivery_state import deliveries_of
from partners.services.invitation_search import find_invitations, order_of
from partners.services.invitations import resend_invitation
from partners.services.pages import Count
from partners.services.progress import progress_of
from partners.services.unsubscribe_links import unsubscribed_recipients
from partners.views.batches import batches_of
from partners.views.gate import for_members, show
from partners.views.lists import filters_of, listing
from partners.views.refusing import answer_action
from partners.views.shared import (
    SECTION,
    bars_of,
    invitation_of,
    log_shown,
    state_of,
)
from web.answers import posts_only


@require_safe
@for_members
def invitations(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    now = timezone.now()
    form = InvitationListForm(request.GET, member=member)
    filters = filters_of(form)
    rows = find_invitations(member, filters, now=now).select_related("partner")
    found = listing(request, form, rows, order=order_of(filters))
    progress = progress_of(found.page.rows)
    unsubscribed = unsubscribed_recipients(found.page.rows)
    context = {
        "listing": found,
        "rows": [
            {
                "invitation": row,
                "state": state_of(row, now),
                "progress": progress[row.pk],
                "is_unsubscribed": row.pk in unsubscribed,
            }
            for row in found.page.rows
        ],
        "batch": _chosen_batch(member, filters),
        "reset_url": reverse("console_invitations"),
    }
    return show(request, member, "partners/invitations.html", context, section=SECTION)


@require_safe
@for_members
def invitation(request: HttpRequest, member: PartnerMember, invitation_id: int) -> HttpResponse:
    offer = invitation_of(member, invitation_id, "created_by", "revoked_by")
    log_shown(offer, member, what="page")
    state = state_of(offer, timezone.now())
    progress = progress_of([offer])[offer.pk]
    delivery = deliveries_of([offer]).get(offer.pk)
    context = {
        "invitation": offer,
        "state": state,
        "by_email": offer.channel == Channel.EMAIL,
        "delivery": delivery,
        "is_unsubscribed": delivery is not None and delivery.state == DeliveryState.UNSUBSCRIBED,
        "funnel": bars_of(
            started=progress.started,
            registered=progress.registered,
            associated=Count(offer.used_count, is_more=False),
            refused=progress.refused,
        ),
        "mailto": _mailto(offer),
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


def _mailto(invitation: Invitation) -> str:
    """Return an address that opens an e-mail with the link, for the member to send."""
    names = {
        "partner": invitation.partner.name,
        "provider": settings.PROVIDER_NAME,
        "link": invitation.link,
    }
    subject = default_subject(invitation.partner)
    body = _("Open this link to join %(partner)s on %(provider)s:\n\n%(link)s\n") % names
    return f"mailto:?subject={quote(subject)}&body={quote(body)}"


def _chosen_batch(member: PartnerMember, filters: Mapping[str, Any]) -> InvitationBatch | None:
    key = filters.get("batch")
    return None if key is None else batches_of(member).filter(pk=key).first()
