"""What an invitation may say: the checks and defaults that making and changing it share."""

from datetime import datetime, timedelta
from typing import Any

from partners.enums import Channel, InvitationProblem
from partners.models import Invitation

LIFE_OF_AN_EMAIL = timedelta(days=7)
MOST_USES = 2**31 - 1


class InvitationNotSaved(Exception):
    """The invitation cannot be made, changed or sent again as asked; `code` says why.

    When a limit refuses, `again_at` is the first moment at which it is possible.
    """

    def __init__(self, code: InvitationProblem, *, again_at: datetime | None = None) -> None:
        super().__init__(code.value)
        self.code = code
        self.again_at = again_at


def check_live(invitation: Invitation, now: datetime) -> None:
    """Raise InvitationNotSaved unless somebody could follow the invitation at `now`."""
    refusal = invitation.refusal(now)
    if refusal is not None:
        raise InvitationNotSaved(InvitationProblem(refusal.value))


def check_limits(invitation: Invitation, now: datetime) -> None:
    """Raise InvitationNotSaved unless its uses suffice for those so far, and its end is ahead."""
    if invitation.max_uses is not None:
        if invitation.max_uses < max(1, invitation.used_count):
            raise InvitationNotSaved(InvitationProblem.TOO_FEW_USES)
        if invitation.max_uses > MOST_USES:
            raise InvitationNotSaved(InvitationProblem.TOO_MANY_USES)
    if invitation.expires_at is not None and invitation.expires_at <= now:
        raise InvitationNotSaved(InvitationProblem.EXPIRY_NOT_AHEAD)


def expiry_of(channel: str, expires_at: datetime | None, now: datetime) -> datetime | None:
    """Return when an invitation of this channel ends if the partner said `expires_at`."""
    if expires_at is None and channel == Channel.EMAIL:
        return now + LIFE_OF_AN_EMAIL
    return expires_at


def moment_text(moment: datetime | None) -> str | None:
    """Return a moment as the audit trail keeps it."""
    return None if moment is None else moment.isoformat()


def terms_of(invitation: Invitation) -> dict[str, Any]:
    """Return what the audit trail keeps: neither the token nor the recipient's address."""
    return {
        "partner": invitation.partner_id,
        "channel": str(invitation.channel),
        "association_type": str(invitation.association_type),
        "label": invitation.label,
        "note": invitation.note,
        "subject": invitation.subject,
        "language": invitation.language,
        "country": str(invitation.country),
        "is_bound": invitation.is_bound,
        "max_uses": invitation.max_uses,
        "expires_at": moment_text(invitation.expires_at),
    }
