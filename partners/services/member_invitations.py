"""Inviting people by e-mail to act for a partner; withdrawing, accepting and declining that."""

from datetime import datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.db import transaction

from accounts.models import User
from accounts.services.administration import save_new_user
from audit.services import record_audit_event
from outbox.models import OutboxMessage
from outbox.services.queue import OutgoingMessage, enqueue_messages
from partners.enums import MemberProblem
from partners.models import MemberInvitation, Partner, PartnerMember
from partners.models.members import MemberInvitationQuerySet
from partners.services.members import add_member, lock_members, membership_problem
from web.email_addresses import canonical_address, mask_address
from web.locks import lock_name
from web.refused import Refused

EMAIL_KIND = "partners.member_invitation"
LIFE = timedelta(days=7)
DAY = timedelta(days=1)
# Per day: e-mails to one address from all partners, and people whom one partner invites.
MOST_EMAILS = 3
MOST_PEOPLE = 50


def invite_member(
    *,
    partner: Partner,
    address: str,
    role: str,
    may_see_addresses: bool = False,
    by: User,
    now: datetime,
) -> MemberInvitation:
    """Ask the person with this address to act for the partner; open for seven days.

    At most one is open per partner and address: inviting again renews it and mails again. For an
    unknown address a log-in without password is made, as `add_user()` does, so the inviting member
    learns nothing about the address. One audit event. Raises InvalidAddress, and Refused for a
    member and when a limit is reached.
    """
    recipient = canonical_address(address)
    with transaction.atomic():
        lock_members(partner.pk)
        lock_name(f"{EMAIL_KIND}:{recipient}")
        invitation = partner.member_invitations.open().filter(address=recipient).first()
        if partner.members.filter(user__email=recipient).exists():
            raise Refused(MemberProblem.MEMBER_ALREADY)
        _refuse_too_many(partner, recipient, now)
        user = _login_of(recipient, address, by, now)
        invitation = invitation or MemberInvitation(partner=partner, address=recipient)
        terms = {"role": str(role), "may_see_addresses": may_see_addresses}
        _write(invitation, terms, by, now)
        _enqueue_email(invitation, user, now)
    return invitation


def withdraw_member_invitation(
    *, invitation: MemberInvitation, by: User, now: datetime
) -> MemberInvitation:
    """End an open invitation; a second time does nothing. One audit event.

    Raises Refused when it has been accepted.
    """
    with transaction.atomic():
        locked = _lock(invitation)
        if locked.accepted_at is not None:
            raise Refused(MemberProblem.INVITATION_ACCEPTED)
        if locked.withdrawn_at is None:
            _end(locked, action="member_invitation.withdrawn", by=by, now=now)
    return locked


def member_invitations_of(user: User) -> MemberInvitationQuerySet:
    """Return every invitation of a member that went to the user's proven address."""
    proven = EmailAddress.objects.filter(user=user, email=user.email, verified=True)
    rows = MemberInvitation.objects.filter(address__in=proven.values("email"))
    return rows.select_related("partner", "invited_by").order_by("-invited_at", "-pk")


def has_member_invitation(*, user: User, now: datetime) -> bool:
    """Whether an invitation is open that the user could accept."""
    live = MemberInvitation.objects.live(now).filter(address=user.email)
    return live.exists() and membership_problem(user) is None


def accept_member_invitation(
    *, invitation: MemberInvitation, by: User, now: datetime
) -> PartnerMember:
    """Let the invited user act for the partner. One audit event each for invitation and member.

    `invitation` is one of `member_invitations_of(by)`. A second time returns the same member.
    Raises Refused when the invitation is expired, withdrawn or accepted before, and when the
    user acts for a partner or is a partner's customer.
    """
    with transaction.atomic():
        locked = _lock(invitation)
        if locked.accepted_at is not None:
            return _member_who_accepted(locked, by)
        if locked.withdrawn_at is not None:
            raise Refused(MemberProblem.INVITATION_WITHDRAWN)
        if locked.is_expired(now):
            raise Refused(MemberProblem.INVITATION_EXPIRED)
        locked.accepted_at = now
        locked.save(update_fields=["accepted_at"])
        record_audit_event(
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

    Raises Refused when it has been accepted.
    """
    with transaction.atomic():
        locked = _lock(invitation)
        if locked.accepted_at is not None:
            raise Refused(MemberProblem.INVITATION_ACCEPTED)
        if locked.withdrawn_at is None:
            _end(locked, action="member_invitation.declined", by=by, now=now)
    return locked


def _lock(invitation: MemberInvitation) -> MemberInvitation:
    """Return the row as it is now, locked, after its partner's members."""
    lock_members(invitation.partner_id)
    rows = MemberInvitation.objects.select_related("partner")
    return rows.select_for_update(of=("self",)).get(pk=invitation.pk)


def _end(invitation: MemberInvitation, *, action: str, by: User, now: datetime) -> None:
    """Write that the locked invitation cannot be accepted any more, and who ended it."""
    invitation.withdrawn_at, invitation.withdrawn_by = now, by
    invitation.save(update_fields=["withdrawn_at", "withdrawn_by"])
    record_audit_event(
        action=action,
        about=invitation,
        by=by,
        now=now,
        before={"withdrawn_at": None},
        after={"withdrawn_at": now.isoformat()},
    )


def _member_who_accepted(invitation: MemberInvitation, user: User) -> PartnerMember:
    """Return the membership that an earlier POST of the same user made."""
    member = PartnerMember.objects.filter(user=user, partner=invitation.partner_id).first()
    if member is None:
        raise Refused(MemberProblem.INVITATION_ACCEPTED)
    return member


def _refuse_too_many(partner: Partner, recipient: str, now: datetime) -> None:
    """Raise Refused when the person or the partner has reached the limit of a day."""
    mails = OutboxMessage.objects.filter(
        kind=EMAIL_KIND, recipient=recipient, created_at__gt=now - DAY
    )
    moments = list(mails.order_by("-created_at").values_list("created_at", flat=True)[:MOST_EMAILS])
    if len(moments) == MOST_EMAILS:
        raise Refused(MemberProblem.MAILED_TOO_OFTEN, again_at=moments[-1] + DAY)
    invited = partner.member_invitations.filter(invited_at__gt=now - DAY)
    moments = list(
        invited.order_by("-invited_at").values_list("invited_at", flat=True)[:MOST_PEOPLE]
    )
    if len(moments) == MOST_PEOPLE:
        raise Refused(MemberProblem.TOO_MANY_INVITED, again_at=moments[-1] + DAY)


def _login_of(recipient: str, address: str, by: User, now: datetime) -> User:
    """Return the user with this address, made if there is none."""
    user = User.objects.filter(email=recipient).first()
    if user is None:
        user = User(email=recipient, language=by.language)
        save_new_user(user=user, email_original=address, by=by, now=now)
    return user


def _write(invitation: MemberInvitation, terms: dict[str, Any], by: User, now: datetime) -> None:
    """Save a new or renewed invitation with its audit event."""
    is_new = invitation.pk is None
    before = {name: getattr(invitation, name) for name in (*terms, "expires_at")}
    for name, value in terms.items():
        setattr(invitation, name, value)
    invitation.invited_at, invitation.invited_by = now, by
    invitation.expires_at = now + LIFE
    invitation.save()
    after = {**terms, "expires_at": invitation.expires_at}
    made = {"partner": invitation.partner_id, "address": mask_address(invitation.address)}
    record_audit_event(
        action="member_invitation.made" if is_new else "member_invitation.renewed",
        about=invitation,
        by=by,
        now=now,
        before=None if is_new else before,
        after={**made, **after} if is_new else after,
    )


def _enqueue_email(invitation: MemberInvitation, user: User, now: datetime) -> None:
    enqueue_messages(
        messages=[
            OutgoingMessage(
                kind=EMAIL_KIND,
                to=invitation.address,
                about=invitation,
                language=user.language,
                deadline_at=invitation.expires_at,
            )
        ],
        now=now,
    )
