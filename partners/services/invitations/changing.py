"""Changing invitations: editing, sending again, and revoking for good."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.services.audit import record_event
from partners.enums import Channel, InvitationProblem
from partners.models import Invitation
from partners.services.invitations.mailing import promise_mail
from partners.services.invitations.quotas import DAY, check_quotas
from partners.services.invitations.terms import (
    LIFE_OF_AN_EMAIL,
    InvitationNotSaved,
    check_limits,
    check_live,
    expiry_of,
    moment_text,
    terms_of,
)


def revoke_invitation(*, invitation: Invitation, by: User | None, now: datetime) -> Invitation:
    """Revoke the invitation for good and write `invitation.revoked`; a second time does nothing."""
    with transaction.atomic():
        locked = _lock(invitation)
        if locked.revoked_at is None:
            locked.revoked_at = now
            locked.revoked_by = by
            locked.save(update_fields=["revoked_at", "revoked_by"])
            record_event(
                action="invitation.revoked",
                about=locked,
                by=by,
                now=now,
                before={"revoked_at": None},
                after={"revoked_at": now.isoformat()},
            )
    return locked


def resend_invitation(*, invitation: Invitation, by: User | None, now: datetime) -> Invitation:
    """Mail the same link again and let it live at least seven more days, expired or not.

    Raises InvitationNotSaved when it is no e-mail, revoked, used up, the partner may not invite
    so, or the person was mailed invitations three times within a day. Raises QuotaReached when it
    would be one more invitation mailed within a day than allowed.
    """
    if invitation.channel != Channel.EMAIL:
        raise InvitationNotSaved(InvitationProblem.NOT_BY_EMAIL)
    with transaction.atomic():
        locked = _lock(invitation)
        before = {"expires_at": moment_text(locked.expires_at)}
        renewed = now + LIFE_OF_AN_EMAIL
        locked.expires_at = max(locked.expires_at or renewed, renewed)
        check_live(locked, now)
        is_one_more = locked.mailed_at is None or locked.mailed_at <= now - DAY
        check_quotas(partner=locked.partner, by=by, now=now, mailed=int(is_one_more))
        locked.mailed_at = now
        locked.save(update_fields=["expires_at", "mailed_at"])
        record_event(
            action="invitation.resent",
            about=locked,
            by=by,
            now=now,
            before=before,
            after={"expires_at": moment_text(locked.expires_at)},
        )
        promise_mail(invitation=locked, now=now)
    return locked


def edit_invitation(
    *,
    invitation: Invitation,
    label: str,
    note: str,
    expires_at: datetime | None,
    max_uses: int | None,
    by: User | None,
    now: datetime,
) -> Invitation:
    """Change what may change of a live invitation and write `invitation.edited`; the token stays.

    Writes nothing when nothing differs. An e-mail keeps its one use, whatever `max_uses` says.
    Raises InvitationNotSaved when it is not live, the new expiry is not ahead, or `max_uses` is
    below the uses there have been.
    """
    with transaction.atomic():
        locked = _lock(invitation)
        check_live(locked, now)
        before = terms_of(locked)
        locked.label = label
        locked.note = note
        locked.expires_at = expiry_of(locked.channel, expires_at, now)
        locked.max_uses = 1 if locked.channel == Channel.EMAIL else max_uses
        check_limits(locked, now)
        after = terms_of(locked)
        changed = [name for name in after if after[name] != before[name]]
        if changed:
            locked.save(update_fields=changed)
            record_event(
                action="invitation.edited",
                about=locked,
                by=by,
                now=now,
                before={name: before[name] for name in changed},
                after={name: after[name] for name in changed},
            )
    return locked


def _lock(invitation: Invitation) -> Invitation:
    """Return the row as it is now, locked until the transaction ends, with its partner."""
    rows = Invitation.objects.select_related("partner").select_for_update(of=("self",))
    return rows.get(pk=invitation.pk)
