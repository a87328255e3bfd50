"""Events about invitations, for other systems."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from outbox.services.events import NewEvent, publish, publish_many
from partners.enums import EventKind
from partners.models import Invitation, InvitationRequest


def publish_invitations(
    *, kind: EventKind, invitations: Iterable[Invitation], now: datetime
) -> None:
    """Publish the same of each of these invitations."""
    events = [
        NewEvent(kind, invitation, invitation.partner_id, keys_of(invitation))
        for invitation in invitations
    ]
    publish_many(events=events, now=now)


def publish_invitation_request(*, invitation_request: InvitationRequest, now: datetime) -> None:
    """Publish that someone asks for an online invitation, by the link that was followed."""
    invitation = invitation_request.invitation
    publish(
        kind=EventKind.INVITATION_REQUEST_CREATED,
        about=invitation_request,
        partner_id=invitation.partner_id,
        data={**keys_of(invitation), "invitation_request_id": str(invitation_request.pk)},
        now=now,
    )


def keys_of(invitation: Invitation) -> dict[str, Any]:
    """Return the keys by which the partner's systems know the invitation."""
    return {
        "invitation_id": str(invitation.pk),
        "reference": invitation.reference,
        "metadata": invitation.metadata,
    }
