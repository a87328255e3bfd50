"""Inviting one person by e-mail from a form that may be sent twice."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts.addresses import canonical_address
from accounts.models import User
from accounts.services.locks import lock_name
from partners.models import Channel, Invitation, Partner
from partners.services.invitations.making import create_invitation
from partners.services.invitations.terms import LIFE_OF_AN_EMAIL

# The same form sent twice within this means one invitation.
DOUBLE_CLICK = timedelta(minutes=1)


def draft_email(*, partner: Partner, now: datetime, **terms: Any) -> Invitation:
    """Return the online invitation of these terms as it would be made now, not saved."""
    terms["expires_at"] = terms.get("expires_at") or now + LIFE_OF_AN_EMAIL
    terms["recipient"] = canonical_address(terms["recipient"])
    return Invitation(partner=partner, channel=Channel.EMAIL, max_uses=1, created_at=now, **terms)


def create_email(*, partner: Partner, by: User, now: datetime, **terms: Any) -> Invitation:
    """Make the online invitation and promise its mail, as `create_invitation()` does.

    The same wish of the same member again within a minute returns what was made, and mails nobody.
    """
    wish = {**terms, "recipient": canonical_address(terms["recipient"])}
    expires_at = wish.pop("expires_at", None)
    with transaction.atomic():
        lock_name(f"partners.new_email:{by.pk}")
        lately = partner.invitations.filter(
            channel=Channel.EMAIL, created_by=by, created_at__gt=now - DOUBLE_CLICK, **wish
        )
        if expires_at is not None:
            lately = lately.filter(expires_at=expires_at)
        same = lately.order_by("pk").last()
        if same is not None:
            return same
        return create_invitation(
            partner=partner,
            channel=Channel.EMAIL,
            by=by,
            now=now,
            expires_at=expires_at,
            **wish,
        )
