"""Inviting people by e-mail to act for a partner, and withdrawing that."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts.addresses import canonical_address, mask_address
from accounts.models import OutboxMessage, User
from accounts.services.administration import save_new_user
from accounts.services.audit import record_event
from accounts.services.locks import lock_name
from accounts.services.outbox import OutgoingMessage, enqueue_messages
from partners.enums import MemberProblem
from partners.models import MemberInvitation, Partner
from partners.services.members.terms import MemberRefused, lock_members

MAIL_KIND = "partners.member_invitation"
LIFE = timedelta(days=7)
DAY = timedelta(days=1)
# Mails to one address within a day, whoever sends them; people that a partner invites within a day.
MOST_MAILS = 3
MOST_PEOPLE = 50
# Two clicks on one button, not two invitations.
ONE_CLICK = timedelta(minutes=1)


def invite_member(
    *,
    partner: Partner,
    address: str,
    role: str,
    may_see_addresses: bool = False,
    by: User,
    now: datetime,
) -> MemberInvitation:
    """Ask whoever has this address to act for the partner; open for seven days.

    At most one is open per partner and address: inviting again renews it and mails again. For an
    unknown address a log-in without password is made, as `add_user()` does, so whoever invites
    learns nothing about the address. One audit event; nothing at all for a second click. Raises
    InvalidAddress, and MemberRefused for a member and when a limit is reached.
    """
    recipient = canonical_address(address)
    with transaction.atomic():
        lock_members(partner.pk)
        lock_name(f"{MAIL_KIND}:{recipient}")
        invitation = partner.member_invitations.open().filter(address=recipient).first()
        terms = {"role": str(role), "may_see_addresses": may_see_addresses}
        if invitation is not None and _is_second_click(invitation, terms, now):
            return invitation
        if partner.members.filter(user__email=recipient).exists():
            raise MemberRefused(MemberProblem.MEMBER_ALREADY)
        _refuse_too_many(partner, recipient, now)
        user = _login_of(recipient, address, by, now)
        invitation = invitation or MemberInvitation(partner=partner, address=recipient)
        _write(invitation, terms, by, now)
        _promise_mail(invitation, user, now)
    return invitation


def withdraw_member_invitation(
    *, invitation: MemberInvitation, by: User, now: datetime
) -> MemberInvitation:
    """End an open invitation; a second time does nothing. One audit event.

    Raises MemberRefused when it has been accepted.
    """
    with transaction.atomic():
        locked = lock_invitation(invitation)
        if locked.accepted_at is not None:
            raise MemberRefused(MemberProblem.INVITATION_ACCEPTED)
        if locked.withdrawn_at is None:
            end_invitation(locked, action="member_invitation.withdrawn", by=by, now=now)
    return locked


def lock_invitation(invitation: MemberInvitation) -> MemberInvitation:
    """Return the row as it is now, locked, after its partner's members."""
    lock_members(invitation.partner_id)
    rows = MemberInvitation.objects.select_related("partner")
    return rows.select_for_update(of=("self",)).get(pk=invitation.pk)


def end_invitation(invitation: MemberInvitation, *, action: str, by: User, now: datetime) -> None:
    """Write that nobody accepts the locked invitation any more, and who said so."""
    invitation.withdrawn_at, invitation.withdrawn_by = now, by
    invitation.save(update_fields=["withdrawn_at", "withdrawn_by"])
    record_event(
        action=action,
        about=invitation,
        by=by,
        now=now,
        before={"withdrawn_at": None},
        after={"withdrawn_at": now.isoformat()},
    )


def _is_second_click(invitation: MemberInvitation, terms: dict[str, Any], now: datetime) -> bool:
    same = all(getattr(invitation, name) == value for name, value in terms.items())
    return same and now - invitation.invited_at < ONE_CLICK


def _refuse_too_many(partner: Partner, recipient: str, now: datetime) -> None:
    """Raise MemberRefused when the person or the partner has reached the limit of a day."""
    mails = OutboxMessage.objects.filter(
        kind=MAIL_KIND, recipient=recipient, created_at__gt=now - DAY
    )
    moments = list(mails.order_by("-created_at").values_list("created_at", flat=True)[:MOST_MAILS])
    if len(moments) == MOST_MAILS:
        raise MemberRefused(MemberProblem.MAILED_TOO_OFTEN, again_at=moments[-1] + DAY)
    invited = partner.member_invitations.filter(invited_at__gt=now - DAY)
    moments = list(
        invited.order_by("-invited_at").values_list("invited_at", flat=True)[:MOST_PEOPLE]
    )
    if len(moments) == MOST_PEOPLE:
        raise MemberRefused(MemberProblem.TOO_MANY_INVITED, again_at=moments[-1] + DAY)


def _login_of(recipient: str, address: str, by: User, now: datetime) -> User:
    """Return the user with this address, made if there is none."""
    user = User.objects.filter(email=recipient).first()
    if user is None:
        user = User(email=recipient, language=by.language)
        save_new_user(user=user, address=address, by=by, now=now)
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
    record_event(
        action="member_invitation.made" if is_new else "member_invitation.renewed",
        about=invitation,
        by=by,
        now=now,
        before=None if is_new else before,
        after={**made, **after} if is_new else after,
    )


def _promise_mail(invitation: MemberInvitation, user: User, now: datetime) -> None:
    enqueue_messages(
        messages=[
            OutgoingMessage(
                kind=MAIL_KIND,
                to=invitation.address,
                about=invitation,
                language=user.language,
                deadline_at=invitation.expires_at,
            )
        ],
        now=now,
    )
