"""What is done with many invitations at once: revoked, sent again, extended; one by one."""

from datetime import datetime

from django.utils.dateparse import parse_datetime

from partners.enums import BulkKind
from partners.models import Invitation
from partners.services.bulk_actions import Performers, RowTask, do_rows, visible_row
from partners.services.invitations import (
    extend_invitation,
    resend_invitation,
    revoke_unfinished_invitation,
)


def act_on_invitations(*, now: datetime) -> int:
    """Do rows of running actions on invitations for about a second; return how many."""
    return do_rows(performers=PERFORMERS, now=now)


def _invitation(task: RowTask) -> Invitation:
    found: Invitation = visible_row(task.member.partner.invitations.visible_to(task.member), task)
    return found


def _revoke(task: RowTask) -> None:
    revoke_unfinished_invitation(invitation=_invitation(task), by=task.member.user, now=task.now)


def _resend(task: RowTask) -> None:
    resend_invitation(invitation=_invitation(task), by=task.member.user, now=task.now, is_bulk=True)


def _extend(task: RowTask) -> None:
    expires_at = parse_datetime(task.terms["expires_at"])
    if expires_at is None:
        raise ValueError("The moment of the action is malformed.")
    extend_invitation(
        invitation=_invitation(task), expires_at=expires_at, by=task.member.user, now=task.now
    )


PERFORMERS: Performers = {
    BulkKind.REVOKE: _revoke,
    BulkKind.RESEND: _resend,
    BulkKind.EXTEND: _extend,
}
