"""What someone who was invited to act for a partner answers: accepting, or declining."""

from datetime import datetime

from allauth.account.models import EmailAddress
from django.db import transaction

from accounts.models import User
from accounts.services.audit import record_event
from partners.enums import MemberProblem
from partners.models import MemberInvitation, PartnerMember
from partners.models.members import MemberInvitationQuerySet
from partners.services.members.changing import add_member
from partners.services.members.inviting import end_invitation, lock_invitation
from partners.services.members.terms import MemberRefused, hindrance_of


def member_invitations_of(user: User) -> MemberInvitationQuerySet:
    """Return every invitation of a member that went to the user's proven address."""
    proven = EmailAddress.objects.filter(user=user, email=user.email, verified=True)
    rows = MemberInvitation.objects.filter(address__in=proven.values("email"))
    return rows.select_related("partner", "invited_by").order_by("-invited_at", "-pk")


def has_member_invitation(*, user: User, now: datetime) -> bool:
    """Whether an invitation waits for the user's answer, and the user could accept it."""
    live = MemberInvitation.objects.live(now).filter(address=user.email)
    return live.exists() and hindrance_of(user) is None


def accept_member_invitation(
    *, invitation: MemberInvitation, by: User, now: datetime
) -> PartnerMember:
    """Let the invited user act for the partner. One audit event each for invitation and member.

    `invitation` is one of `member_invitations_of(by)`. A second time returns the same member.
    Raises MemberRefused when the invitation is expired, withdrawn or accepted before, and when the
    user acts for a partner or is a partner's customer.
    """
    with transaction.atomic():
        locked = lock_invitation(invitation)
        if locked.accepted_at is not None:
            return _member_so_made(locked, by)
        if locked.withdrawn_at is not None:
            raise MemberRefused(MemberProblem.INVITATION_WITHDRAWN)
        if locked.is_expired(now):
            raise MemberRefused(MemberProblem.INVITATION_EXPIRED)
        locked.accepted_at = now
        locked.save(update_fields=["accepted_at"])
        record_event(
            action="member_invitation.accepted",
            about=locked,
            by=by,
            now=now,
            before={"accepted_at": None},
            after={"accepted_at": now.isoformat()},
        )
        return add_member(
            partner=locked.partner,
            user=by,
            role=locked.role,
            may_see_addresses=locked.may_see_addresses,
            by=by,
            now=now,
        )


def decline_member_invitation(
    *, invitation: MemberInvitation, by: User, now: datetime
) -> MemberInvitation:
    """End the invitation in the invited user's name; a second time does nothing.

    Raises MemberRefused when it has been accepted.
    """
    with transaction.atomic():
        locked = lock_invitation(invitation)
        if locked.accepted_at is not None:
            raise MemberRefused(MemberProblem.INVITATION_ACCEPTED)
        if locked.withdrawn_at is None:
            end_invitation(locked, action="member_invitation.declined", by=by, now=now)
    return locked


def _member_so_made(invitation: MemberInvitation, user: User) -> PartnerMember:
    """Return the membership that accepting began; the first of two clicks made it."""
    member = PartnerMember.objects.filter(user=user, partner=invitation.partner_id).first()
    if member is None:
        raise MemberRefused(MemberProblem.INVITATION_ACCEPTED)
    return member
