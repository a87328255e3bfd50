"""Inviting people by e-mail to act for a partner; withdrawing, accepting and declining that."""

from datetime import datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from accounts.services.administration import save_new_user
from audit.services import given_reason, record_audit_event
from outbox.models import OutboxMessage
from outbox.services.queue import OutgoingMessage, enqueue_messages
from partners.enums import MemberRefusal
from partners.models import MemberInvitation, Partner, PartnerMember
from partners.models.members import MemberInvitationQuerySet
from partners.services.known_people import customers_among
from partners.services.members import add_member, lock_members, member_terms, membership_problem
from web.email_addresses import canonical_address, mask_address
from web.locks import lock_name
from web.refused import Refused
from web.shown_versions import ShownVersion, check_shown
from web.transactions import whole_transaction

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
    """Ask the person with this address to act for the partner; an open invitation is renewed.

    For an unknown address a log-in without password is made, so the inviting member learns nothing
    about the address. Raises InvalidAddress, and Refused for a member, a customer of the partner or
    a reached limit.
    """
    terms = {"role": str(role), "may_see_addresses": may_see_addresses}
    return _invite(partner, canonical_address(address), address, terms, by, now)


@whole_transaction
def _invite(
    partner: Partner, recipient: str, typed: str, terms: dict[str, Any], by: User, now: datetime
) -> MemberInvitation:
    with transaction.atomic():
        lock_members(partner.pk)
        lock_name(f"{EMAIL_KIND}:{recipient}")
        invitation = partner.member_invitations.open().filter(address=recipient).first()
        _check_may_be_invited(partner, recipient, now)
        user = User.objects.filter(email=recipient).first()
        if user is None:
            user = User(email=recipient, language=by.language)
            save_new_user(user=user, email_original=typed, by=by, now=now)
        invitation = invitation or MemberInvitation(partner=partner, address=recipient)
        _write(invitation, terms, by, now)
        message = OutgoingMessage(
            kind=EMAIL_KIND,
            to=recipient,
            about=invitation,
            language=user.language,
            deadline_at=invitation.expires_at,
        )
        enqueue_messages(messages=[message], now=now)
    return invitation


def _check_may_be_invited(partner: Partner, recipient: str, now: datetime) -> None:
    if partner.members.filter(user__email=recipient).exists():
        raise Refused(MemberRefusal.MEMBER_ALREADY)
    if customers_among([recipient], partner=partner):
        raise Refused(MemberRefusal.IS_YOUR_CUSTOMER)
    emails = OutboxMessage.objects.filter(kind=EMAIL_KIND, recipient=recipient)
    _check_day(emails, "created_at", MOST_EMAILS, MemberRefusal.MAILED_TOO_OFTEN, now)
    invited = partner.member_invitations.all()
    _check_day(invited, "invited_at", MOST_PEOPLE, MemberRefusal.TOO_MANY_INVITED, now)


@whole_transaction
def resend_member_invitation(
    *, invitation: MemberInvitation, by: User, now: datetime
) -> MemberInvitation:
    """Invite the same person again on the same terms, expired or not.

    Raises Refused when it was accepted, withdrawn or declined, and as `invite_member()` does.
    """
    with transaction.atomic():
        locked = _lock(invitation)
        if locked.accepted_at is not None:
            raise Refused(MemberRefusal.INVITATION_ACCEPTED)
        if locked.withdrawn_at is not None:
            raise Refused(MemberRefusal.INVITATION_WITHDRAWN)
        terms = {"role": locked.role, "may_see_addresses": locked.may_see_addresses}
        return _invite(locked.partner, locked.address, locked.address, terms, by, now)


def withdraw_member_invitation(
    *, invitation: MemberInvitation, by: User | None, now: datetime, reason: str = ""
) -> MemberInvitation:
    """End an open invitation; a second time does nothing. The audit trail has the reason.

    Raises Refused when it was accepted.
    """
    return _end(invitation, "member_invitation.withdrawn", by, now, reason)


def decline_member_invitation(
    *, invitation: MemberInvitation, by: User, now: datetime
) -> MemberInvitation:
    """As `withdraw_member_invitation()`, for the invited user."""
    return _end(invitation, "member_invitation.declined", by, now)


def member_invitations_of(user: User) -> MemberInvitationQuerySet:
    """Return every invitation of a member that went to the user's proven address."""
    proven = EmailAddress.objects.filter(user=user, email=user.email, verified=True)
    rows = MemberInvitation.objects.filter(address__in=proven.values("email"))
    return rows.select_related("partner", "invited_by").order_by("-invited_at", "-pk")


def has_member_invitation(*, user: User, now: datetime) -> bool:
    """Whether an invitation is open that the user could accept."""
    live = MemberInvitation.objects.live(now).filter(address=user.email)
    return live.exists() and membership_problem(user) is None


@whole_transaction
def accept_member_invitation(
    *,
    invitation: MemberInvitation,
    by: User,
    now: datetime,
    shown_version: ShownVersion | None = None,
) -> PartnerMember:
    """Let the invited user act for the partner; a second time returns the same member.

    `invitation` is one of `member_invitations_of(by)`. Raises Refused when it is not live, and as
    `add_member()` does. Raises ChangedMeanwhile if the version is not that of `member_terms()`.
    """
    with transaction.atomic():
        locked = _lock(invitation)
        if locked.accepted_at is not None:
            member = PartnerMember.objects.filter(user=by, partner=locked.partner_id).first()
            if member is None:
                raise Refused(MemberRefusal.INVITATION_ACCEPTED)
            return member
        if locked.withdrawn_at is not None:
            raise Refused(MemberRefusal.INVITATION_WITHDRAWN)
        if locked.is_expired(now):
            raise Refused(MemberRefusal.INVITATION_EXPIRED)
        check_shown(shown_version, member_terms(locked))
        # The clock was read before the lock; it may have been renewed meanwhile.
        now = max(now, locked.invited_at)
        locked.accepted_at = now
        locked.save(update_fields=["accepted_at"])
        _record_end(locked, "accepted_at", "member_invitation.accepted", by, now)
        return add_member(
            partner=locked.partner,
            user=by,
            role=locked.role,
            may_see_addresses=locked.may_see_addresses,
            by=by,
            now=now,
        )


def _lock(invitation: MemberInvitation) -> MemberInvitation:
    """Return the row as it is now, locked, after its partner's members."""
    lock_members(invitation.partner_id)
    rows = MemberInvitation.objects.select_related("partner")
    return rows.select_for_update(of=("self",)).get(pk=invitation.pk)


@whole_transaction
def _end(
    invitation: MemberInvitation, action: str, by: User | None, now: datetime, reason: str = ""
) -> MemberInvitation:
    with transaction.atomic():
        locked = _lock(invitation)
        if locked.accepted_at is not None:
            raise Refused(MemberRefusal.INVITATION_ACCEPTED)
        if locked.withdrawn_at is None:
            # As where it is accepted.
            now = max(now, locked.invited_at)
            locked.withdrawn_at, locked.withdrawn_by = now, by
            locked.save(update_fields=["withdrawn_at", "withdrawn_by"])
            _record_end(locked, "withdrawn_at", action, by, now, reason)
    return locked


def _record_end(
    invitation: MemberInvitation,
    moment: str,
    action: str,
    by: User | None,
    now: datetime,
    reason: str = "",
) -> None:
    before, after = {moment: None}, {moment: now.isoformat(), **given_reason(reason)}
    record_audit_event(action=action, about=invitation, by=by, now=now, before=before, after=after)


def _check_day(
    rows: QuerySet[Any], moment: str, most: int, problem: MemberRefusal, now: datetime
) -> None:
    newest = rows.filter(**{f"{moment}__gt": now - DAY}).order_by(f"-{moment}")
    moments = list(newest.values_list(moment, flat=True)[:most])
    if len(moments) == most:
        raise Refused(problem, again_at=moments[-1] + DAY)


def _write(invitation: MemberInvitation, terms: dict[str, Any], by: User, now: datetime) -> None:
    is_new = invitation.invited_at is None
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
