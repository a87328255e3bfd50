"""Making one link, or inviting one person by e-mail, from a form that may be sent twice."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts.addresses import canonical_address
from accounts.models import User
from accounts.services.locks import lock_name
from partners.enums import Channel
from partners.models import Invitation, Partner
from partners.services.invitations.making import create_invitation
from partners.services.invitations.terms import LIFE_OF_AN_EMAIL, expiry_of
from partners.services.twice import DOUBLE_CLICK, ends_about


def create_link(
    *,
    partner: Partner,
    by: User,
    now: datetime,
    token: str,
    expires_at: datetime | None = None,
    **terms: Any,
) -> Invitation:
    """Make a link, as `create_invitation()` does; the same form sent twice makes one.

    Whoever goes back in the browser sends a `token` that is taken. With the terms of a live link it
    means that link; with others a new one, made once as well.
    """
    with transaction.atomic():
        lock_name(f"partners.new_link:{by.pk}")
        if Invitation.objects.filter(token=token).exists():
            same = partner.invitations.live(now).filter(
                Q(token=token) | Q(created_at__gt=now - DOUBLE_CLICK),
                ends_about(expires_at),
                channel=Channel.LINK,
                created_by=by,
                **terms,
            )
            before = same.order_by("pk").last()
            if before is not None:
                return before
            token = ""
        return create_invitation(
            partner=partner,
            channel=Channel.LINK,
            by=by,
            now=now,
            token=token,
            expires_at=expires_at,
            **terms,
        )


def draft_email(*, partner: Partner, now: datetime, **terms: Any) -> Invitation:
    """Return the online invitation of these terms as it would be made now, not saved."""
    terms["expires_at"] = terms.get("expires_at") or now + LIFE_OF_AN_EMAIL
    terms["recipient"] = canonical_address(terms["recipient"])
    return Invitation(partner=partner, channel=Channel.EMAIL, max_uses=1, created_at=now, **terms)


def create_email(*, partner: Partner, by: User, now: datetime, **terms: Any) -> Invitation:
    """Make the online invitation and promise its mail, as `create_invitation()` does.

    The same wish of the same member again within a minute returns what was made, and mails nobody;
    unless nobody can follow that any more.
    """
    wish = {**terms, "recipient": canonical_address(terms["recipient"])}
    expires_at = expiry_of(Channel.EMAIL, wish.pop("expires_at", None), now)
    with transaction.atomic():
        lock_name(f"partners.new_email:{by.pk}")
        lately = partner.invitations.live(now).filter(
            ends_about(expires_at),
            channel=Channel.EMAIL,
            created_by=by,
            created_at__gt=now - DOUBLE_CLICK,
            **wish,
        )
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
