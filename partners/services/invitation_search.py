"""Which invitations a member looks for: by filters, by any part of their texts, or by the link."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q

from partners.enums import InvitationState
from partners.models import PartnerMember
from partners.models.invitations import InvitationQuerySet
from partners.services.pages import Order
from partners.services.parts import part_of, part_of_address
from partners.tokens import token_in
from web.email_addresses import InvalidAddress, canonical_address

AS_MADE = Order("created_at", descending=False)
TEXTS = ("label", "customer_name", "reference", "recipient_name")


def find_invitations(
    member: PartnerMember, filters: Mapping[str, Any], *, now: datetime
) -> InvitationQuerySet:
    """Return the member's invitations that match the filters of the list's form; no statement."""
    rows: InvitationQuerySet = member.partner.invitations.visible_to(member)
    state = filters.get("state")
    if state:
        rows = rows.in_state(state, now)
    for name in ("channel", "association_type", "batch"):
        if name in filters:
            rows = rows.filter(**{name: filters[name]})
    if "delivery" in filters:
        rows = rows.undelivered(now)
    if "created_by" in filters:
        rows = rows.filter(created_by__partner_member=filters["created_by"])
    if filters.get("order") == "expiring":
        # Without a filter by state, those that can still expire: what is used up or revoked cannot.
        # The index by expiry is read from now on, and not through all that have expired.
        if not state:
            rows = rows.in_state(InvitationState.LIVE, now).filter(expires_at__gt=now)
        rows = rows.exclude(expires_at=None)
    return rows.filter(searched(filters["q"], member)) if "q" in filters else rows


def order_of(filters: Mapping[str, Any]) -> Order:
    """Return the order of the list that these filters of its form ask for.

    Expired invitations are ordered by their expiry: by their making, those that expired last stand
    behind all that are still alive. Those of a batch have the order of its numbers, or of its file.
    """
    match filters.get("order"):
        case "used":
            return Order("used_count")
        case "expiring":
            return Order("expires_at", descending=False)
    if "batch" in filters:
        return AS_MADE
    return Order("expires_at" if filters.get("state") == InvitationState.EXPIRED else "created_at")


def searched(text: str, member: PartnerMember) -> Q:
    """Match a link or token, else a part of the texts; of an address as in `find_customers()`."""
    token = token_in(text)
    if token is not None:
        return Q(token=token)
    found = part_of(TEXTS, text, ignores_case=True)
    if member.may_reveal_addresses:
        return found | part_of_address("recipient", text, ignores_case=True)
    try:
        return found | Q(recipient=canonical_address(text))
    except InvalidAddress:
        return found
