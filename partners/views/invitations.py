"""The console's invitations: the list, and one with its link, code, counts and acts."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.addresses import InvalidAddress, canonical_address
from accounts.views.answers import see_other
from partners.enums import Channel, InvitationState
from partners.forms import InvitationListForm
from partners.models import InvitationBatch, PartnerMember
from partners.models.invitations import InvitationQuerySet
from partners.refusals import sentence_for
from partners.services.delivery_state import deliveries_of
from partners.services.invitations import InvitationNotSaved, progress_of, resend_invitation
from partners.services.pages import Count, Order
from partners.tokens import token_typed_by_hand
from partners.views.batches import batches_of
from partners.views.funnels import bars_of
from partners.views.gate import for_members, show
from partners.views.lists import listing, wishes_of
from partners.views.one_invitation import (
    SECTION,
    invitation_of,
    invitations_of,
    log_shown,
    mail_address,
    state_of,
)
from partners.views.refusing import refusal_page

ORDERS = {
    "newest": Order("created_at"),
    "used": Order("used_count"),
    "expiring": Order("expires_at", descending=False),
}


@require_safe
@for_members
def invitations(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    """List the invitations, newest first unless asked otherwise."""
    now = timezone.now()
    form = InvitationListForm(request.GET, member=member)
    wishes = wishes_of(form)
    rows = _wished(invitations_of(member), wishes).select_related("partner")
    found = listing(request, form, rows, order=ORDERS[wishes.get("order", "newest")])
    progress = progress_of(found.page.rows)
    context = {
        "listing": found,
        "rows": [
            {"invitation": row, "state": state_of(row, now), "progress": progress[row.pk]}
            for row in found.page.rows
        ],
        "batch": _batch_wished(member, wishes),
        "reset_url": reverse("console_invitations"),
    }
    return show(request, member, "partners/invitations.html", context, section=SECTION)


@require_safe
@for_members
def invitation(request: HttpRequest, member: PartnerMember, invitation_id: int) -> HttpResponse:
    """Show one invitation to hand on, and what has come of it."""
    offer = invitation_of(member, invitation_id, "created_by", "revoked_by")
    log_shown(offer, member, what="page")
    state = state_of(offer, timezone.now())
    progress = progress_of([offer])[offer.pk]
    context = {
        "invitation": offer,
        "state": state,
        "by_email": offer.channel == Channel.EMAIL,
        "delivery": deliveries_of([offer]).get(offer.pk),
        "funnel": bars_of(
            started=progress.started,
            registered=progress.registered,
            associated=Count(offer.used_count, is_more=False),
            refused=progress.refused,
        ),
        "mail_address": mail_address(offer),
        "back_url": reverse("console_invitations"),
    }
    return show(request, member, "partners/invitation.html", context, section=SECTION)


@require_POST
@for_members
def resend(request: HttpRequest, member: PartnerMember, invitation_id: int) -> HttpResponse:
    """Mail the online invitation once more, and renew its expiry."""
    offer = invitation_of(member, invitation_id)
    try:
        resend_invitation(invitation=offer, by=member.user, now=timezone.now())
    except InvitationNotSaved as refused:
        sentence, back_url = sentence_for(refused), reverse("console_invitation", args=[offer.pk])
        return refusal_page(request, member, refused, sentence, section=SECTION, back_url=back_url)
    messages.success(request, _("The invitation is on its way again."))
    return see_other("console_invitation", invitation_id=offer.pk)


def _batch_wished(member: PartnerMember, wishes: Mapping[str, Any]) -> InvitationBatch | None:
    """Return the one batch that was asked for, if the member may see it."""
    key = wishes.get("batch")
    return None if key is None else batches_of(member).filter(pk=key).first()


def _wished(rows: InvitationQuerySet, wishes: Mapping[str, Any]) -> InvitationQuerySet:
    """Return the invitations that were asked for."""
    now, state = timezone.now(), wishes.get("state")
    if state:
        rows = rows.in_state(state, now)
    for name in ("channel", "association_type", "batch"):
        if name in wishes:
            rows = rows.filter(**{name: wishes[name]})
    if "created_by" in wishes:
        rows = rows.filter(created_by=wishes["created_by"].user_id)
    if wishes.get("order") == "expiring":
        # Without a wish for a state, those that can still expire, as all live ones can.
        can_expire = state in {None, InvitationState.LIVE}
        rows = rows.filter(expires_at__gt=now) if can_expire else rows.exclude(expires_at=None)
    return _found(rows, wishes["q"]) if "q" in wishes else rows


def _found(rows: InvitationQuerySet, text: str) -> InvitationQuerySet:
    """Return those whose token or recipient this is, or of whose label it is a part."""
    token = token_typed_by_hand(text)
    if token is not None:
        return rows.filter(token=token)
    by_label = Q(label__icontains=text)
    try:
        return rows.filter(by_label | Q(recipient=canonical_address(text)))
    except InvalidAddress:
        return rows.filter(by_label)
