"""Requests for an online invitation: someone with an existing account followed a link."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts.models import User
from audit.services import record_audit_event
from outbox.services.queue import enqueue_messages
from partners.enums import Channel, InvitationRequestRefusal
from partners.models import Invitation, InvitationRequest
from partners.services.invitation_events import publish_invitation_request
from partners.services.invitation_use import InvitationRefused
from partners.services.invitations import create_invitation
from partners.services.members import partner_recipients
from partners.services.notifications import messages_to_members
from web.email_addresses import canonical_address
from web.locks import lock_name
from web.refused import Refused
from web.transactions import whole_transaction

EMAIL_KIND = "partners.invitation_requested"
# New requests to one partner within an hour, and for one address within a day.
MOST_OF_A_PARTNER = 50
MOST_OF_AN_ADDRESS = 5


@whole_transaction
def request_online_invitation(
    *, invitation: Invitation, address: str, language: str, now: datetime
) -> None:
    """Ask the partner of this link to invite the address by e-mail.

    The work and the answer are the same whether the address is known or not. Does nothing when a
    request is open for this partner and address, or when either has too many. Raises
    InvalidAddress, Refused when the invitation is no link, and InvitationRefused.
    """
    recipient = canonical_address(address)
    if invitation.channel != Channel.LINK:
        raise Refused(InvitationRequestRefusal.NOT_A_LINK)
    refusal = invitation.refusal(now)
    if refusal is not None:
        raise InvitationRefused(refusal)
    with transaction.atomic():
        lock_name(f"{EMAIL_KIND}:{invitation.partner_id}")
        lock_name(f"{EMAIL_KIND}:{recipient}")
        if _may_be_opened(invitation.partner_id, recipient, now):
            opened = _open(invitation, recipient, language, now)
            members = partner_recipients(invitation, EMAIL_KIND)
            messages = messages_to_members(EMAIL_KIND, opened, members, now=now)
            enqueue_messages(messages=messages, now=now)


def _open(
    invitation: Invitation, recipient: str, language: str, now: datetime
) -> InvitationRequest:
    opened = InvitationRequest.objects.create(
        partner_id=invitation.partner_id,
        invitation=invitation,
        address=recipient,
        language=language,
        requested_at=now,
    )
    after = {"partner": invitation.partner_id, "invitation": invitation.pk}
    record_audit_event(
        action="invitation_request.opened", about=opened, by=None, now=now, after=after
    )
    publish_invitation_request(invitation_request=opened, now=now)
    return opened


@whole_transaction
def answer_invitation_request(
    *, invitation_request: InvitationRequest, by: User, now: datetime
) -> Invitation:
    """Send an invitation like the followed link, bound to the address, and close the request.

    A second time returns the same invitation and sends nothing. Raises Refused when the request was
    dismissed, and as `create_invitation()` does.
    """
    with transaction.atomic():
        locked = _lock(invitation_request)
        if locked.sent_invitation is not None:
            return locked.sent_invitation
        if locked.closed_at is not None:
            raise Refused(InvitationRequestRefusal.DISMISSED)
        sent = create_invitation(
            partner=locked.invitation.partner, by=by, now=now, **terms_of_answer(locked)
        )
        _close(locked, "answered", by, now, sent_invitation=sent)
    return sent


def terms_of_answer(invitation_request: InvitationRequest) -> dict[str, Any]:
    """Return the fields of the invitation that answers the request."""
    followed = invitation_request.invitation
    return {
        "channel": Channel.EMAIL,
        "association_type": followed.association_type,
        "label": followed.label,
        "note": followed.note,
        "language": invitation_request.language or followed.language,
        "country": str(followed.country),
        "recipient": invitation_request.address,
        "recipient_is_stored": True,
    }


@whole_transaction
def close_as_answered(
    *, invitation_request: InvitationRequest, sent: Invitation, by: User, now: datetime
) -> None:
    """Close the request, if it is open, with an invitation that answers no other request."""
    with transaction.atomic():
        locked = _lock(invitation_request)
        if locked.closed_at is None and not hasattr(sent, "invitation_request"):
            _close(locked, "answered", by, now, sent_invitation=sent)


@whole_transaction
def dismiss_invitation_request(
    *, invitation_request: InvitationRequest, reason: str, by: User | None, now: datetime
) -> InvitationRequest:
    """Close the request without an answer; a second time, for this reason, does nothing.

    Raises Refused when it was answered, or dismissed for another reason.
    """
    with transaction.atomic():
        locked = _lock(invitation_request)
        if locked.sent_invitation is not None:
            raise Refused(InvitationRequestRefusal.ANSWERED)
        if locked.closed_at is None:
            _close(locked, "dismissed", by, now, dismiss_reason=reason)
        elif locked.dismiss_reason != reason:
            raise Refused(InvitationRequestRefusal.DISMISSED)
    return locked


def _may_be_opened(partner_id: int, address: str, now: datetime) -> bool:
    of_partner = InvitationRequest.objects.filter(partner_id=partner_id)
    if of_partner.filter(address=address, closed_at__isnull=True).exists():
        return False
    of_hour = of_partner.filter(requested_at__gt=now - timedelta(hours=1))
    if of_hour.count() >= MOST_OF_A_PARTNER:
        return False
    of_address = InvitationRequest.objects.filter(address=address)
    today = of_address.filter(requested_at__gt=now - timedelta(days=1))
    return today.count() < MOST_OF_AN_ADDRESS


def _lock(invitation_request: InvitationRequest) -> InvitationRequest:
    # The sent invitation is not joined: after waiting for the lock PostgreSQL reads the row again,
    # but a joined row is as it was before.
    rows = InvitationRequest.objects.select_related("invitation__partner")
    return rows.select_for_update(of=("self",)).get(pk=invitation_request.pk)


def _close(
    locked: InvitationRequest,
    answer: str,
    by: User | None,
    now: datetime,
    *,
    sent_invitation: Invitation | None = None,
    dismiss_reason: str = "",
) -> None:
    locked.closed_at, locked.closed_by = now, by
    locked.sent_invitation, locked.dismiss_reason = sent_invitation, dismiss_reason
    locked.save(update_fields=["closed_at", "closed_by", "sent_invitation", "dismiss_reason"])
    record_audit_event(
        action=f"invitation_request.{answer}",
        about=locked,
        by=by,
        now=now,
        before={"closed_at": None, "sent_invitation": None, "dismiss_reason": ""},
        after={
            "closed_at": now.isoformat(),
            "sent_invitation": locked.sent_invitation_id,
            "dismiss_reason": dismiss_reason,
        },
    )
