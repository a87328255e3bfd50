"""The mail of an online invitation, and how often a person may be sent one."""

from datetime import datetime, timedelta

from accounts.models import OutboxMessage
from accounts.services.outbox import OutgoingMessage, enqueue_messages
from partners.models import Invitation
from partners.refusal_codes import InvitationProblem
from partners.services.invitations.terms import InvitationNotSaved

MAIL_KIND = "partners.invitation"
MOST_MAILS_A_DAY = 3


def check_mails_of_the_day(recipient: str, now: datetime) -> None:
    """Raise InvitationNotSaved when this person was mailed three times within a day."""
    mails = OutboxMessage.objects.filter(
        kind=MAIL_KIND, recipient=recipient, created_at__gt=now - timedelta(days=1)
    )
    if mails.count() >= MOST_MAILS_A_DAY:
        raise InvitationNotSaved(InvitationProblem.MAILED_TOO_OFTEN)


def promise_mail(invitation: Invitation, now: datetime) -> None:
    """Let the worker mail the invitation to its recipient."""
    enqueue_messages(
        messages=[
            OutgoingMessage(
                kind=MAIL_KIND,
                to=invitation.recipient,
                about=invitation,
                language=invitation.language,
                deadline_at=invitation.expires_at,
            )
        ],
        now=now,
    )
