"""Events about invitations, for other systems."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Model

from outbox.services.events import NewEvent, publish_many
from partners.enums import EventKind
from partners.models import Invitation, InvitationRequest


def publish_invitations(
    kind: EventKind, invitations: Iterable[Invitation], *, now: datetime
) -> None:
    """Publish the same of each of these invitations."""
    events = [
        _event(kind, invitation, invitation, keys_of(invitation)) for invitation in invitations
    ]
    publish_many(events=events, now=now)


def publish_invitation_request(opened: InvitationRequest, now: datetime) -> None:
    """Publish that someone asks for an online invitation, by the link that was followed."""
    data = {**keys_of(opened.invitation), "invitation_request_id": str(opened.pk)}
    event = _event(EventKind.INVITATION_REQUEST_CREATED, opened, opened.invitation, data)
    publish_many(events=[event], now=now)


def keys_of(invitation: Invitation) -> dict[str, Any]:
    """Return the keys by which the partner's systems know the invitation."""
    return {
        "invitation_id": str(invitation.pk),
        "reference": invitation.reference,
        "metadata": invitation.metadata,
    }


def _event(kind: EventKind, about: Model, invitation: Invitation, data: dict[str, Any]) -> NewEvent:
    return NewEvent(kind, about, invitation.partner_id, data)
