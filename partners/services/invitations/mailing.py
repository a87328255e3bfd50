"""The mail of an online invitation, and how often a person may be sent one."""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from accounts.models import OutboxMessage
from accounts.services.locks import lock_name
from accounts.services.outbox import OutgoingMessage, enqueue_messages
from partners.enums import InvitationProblem
from partners.models import Invitation
from partners.services.invitations.terms import InvitationNotSaved

MAIL_KIND = "partners.invitation"
MOST_MAILS_A_DAY = 3
DAY = timedelta(days=1)


def has_mails_left(*, recipient: str, now: datetime) -> bool:
    """Whether one more invitation may be mailed to this canonical address at `now`."""
    return _mails_to(recipient).filter(created_at__gt=now - DAY).count() < MOST_MAILS_A_DAY


def promise_mail(*, invitation: Invitation, now: datetime, is_bulk: bool = False) -> None:
    """Let the worker mail the invitation to its recipient; call it inside the act's transaction.

    One that `is_bulk` is one of thousands, and lets every other message pass.

    Holds a lock per recipient until the transaction ends, so the limit is exact. Whoever mails
    several people in one transaction does so in the addresses' order. Raises InvitationNotSaved
    when the person was mailed invitations three times within a day, whoever sent them.
    """
    lock_name(f"{MAIL_KIND}:{invitation.recipient}")
    if not has_mails_left(recipient=invitation.recipient, now=now):
        third = _mails_to(invitation.recipient).order_by("-created_at")[MOST_MAILS_A_DAY - 1]
        raise InvitationNotSaved(
            InvitationProblem.MAILED_TOO_OFTEN, again_at=third.created_at + DAY
        )
    enqueue_messages(
        messages=[
            OutgoingMessage(
                kind=MAIL_KIND,
                to=invitation.recipient,
                about=invitation,
                language=invitation.language,
                deadline_at=invitation.expires_at,
                is_bulk=is_bulk,
            )
        ],
        now=now,
    )


def _mails_to(recipient: str) -> QuerySet[OutboxMessage]:
    return OutboxMessage.objects.filter(kind=MAIL_KIND, recipient=recipient)
