"""Invitations: making, finding, using, changing, re-sending and revoking them.

The only writer of use counts is `use_invitation()`.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import F

from accounts.addresses import canonical_address
from accounts.models import OutboxMessage, User
from accounts.services.audit import record_copies, record_event
from accounts.services.copies import insert_copies
from accounts.services.locks import lock_name
from accounts.services.outbox import OutgoingMessage, enqueue_messages
from partners.models import Channel, Invitation, InvitationRefusal, Partner
from partners.services.by_token import load_invitation
from partners.tokens import canonical_token, new_token

MAIL_KIND = "partners.invitation"
LIFE_OF_AN_EMAIL = timedelta(days=7)
MOST_MAILS_A_DAY = 3
MOST_USES = 2**31 - 1
BATCH = 2000


class InvitationProblem(StrEnum):
    """Why an invitation cannot be made or changed as asked."""

    TOO_FEW_USES = "too_few_uses"
    TOO_MANY_USES = "too_many_uses"
    NOT_BY_EMAIL = "not_by_email"
    MAILED_TOO_OFTEN = "mailed_too_often"


class InvitationRefused(Exception):
    """The invitation cannot be followed, made or changed; `code` says why."""

    def __init__(self, code: InvitationRefusal | InvitationProblem) -> None:
        super().__init__(code.value)
        self.code = code


def find_invitation(token_text: str) -> Invitation | None:
    """Return the invitation with this token, its partner loaded, live or not; None if unknown.

    The token may be in any case and with look-alike letters. One query; none for text that
    cannot be a token.
    """
    token = canonical_token(token_text)
    return None if token is None else load_invitation(token)


def create_invitation(
    *,
    partner: Partner,
    channel: Channel,
    association_type: str,
    label: str,
    by: User | None,
    now: datetime,
    note: str = "",
    language: str = "",
    country: str = "",
    recipient: str = "",
    recipient_name: str = "",
    is_bound: bool = True,
    max_uses: int | None = None,
    expires_at: datetime | None = None,
) -> Invitation:
    """Make one invitation, write `invitation.created`, and for an e-mail promise the mail.

    An e-mail invitation is for one use and lives seven days unless `expires_at` says otherwise; a
    link lives for ever unless it does. Raises InvalidAddress for the recipient, InvitationRefused
    if nobody could follow the invitation (partner frozen, type not allowed, expiry not ahead).
    """
    by_email = channel == Channel.EMAIL
    invitation = Invitation(
        partner=partner,
        channel=channel,
        association_type=association_type,
        label=label,
        note=note,
        language=language,
        country=country,
        recipient=canonical_address(recipient) if by_email or recipient else "",
        recipient_name=recipient_name,
        is_bound=by_email and is_bound,
        max_uses=1 if by_email else max_uses,
        expires_at=_expiry(channel, expires_at, now),
        created_at=now,
        created_by=by,
    )
    _check(invitation, now)
    with transaction.atomic():
        invitation.save(force_insert=True)
        record_event(
            action="invitation.created",
            about=invitation,
            by=by,
            now=now,
            after=_made_of(invitation),
        )
        if by_email:
            _promise_mail(invitation, now)
    return invitation


def create_invitations(
    *,
    count: int,
    partner: Partner,
    association_type: str,
    label: str,
    by: User | None,
    now: datetime,
    note: str = "",
    language: str = "",
    country: str = "",
    max_uses: int | None = None,
    expires_at: datetime | None = None,
) -> list[Invitation]:
    """Make `count` links at once, at least one; all or none, each with its own token and event.

    `{n}` in the label becomes the number of each, from 1. Raises as `create_invitation()` does.
    """
    labels = [label.replace("{n}", str(number)) for number in range(1, count + 1)]
    first = Invitation(
        partner=partner,
        channel=Channel.LINK,
        association_type=association_type,
        label=labels[0],
        note=note,
        language=language,
        country=country,
        max_uses=max_uses,
        expires_at=expires_at,
        created_at=now,
        created_by=by,
    )
    _check(first, now)
    with transaction.atomic():
        first.save(force_insert=True)
        made_of = _made_of(first)
        event = record_event(
            action="invitation.created", about=first, by=by, now=now, after=made_of
        )
        others = _copies(first, labels[1:])
        record_copies(
            of=event, objects={other.pk: {**made_of, "label": other.label} for other in others}
        )
    return [first, *others]


def use_invitation(*, invitation: Invitation, now: datetime) -> None:
    """Take one use of an invitation that is live at `now`, in one conditional UPDATE.

    Must be the last statement of the association's transaction: the row stays locked from here
    to the commit. `now` is the database's clock, read after the transaction's locks. Whoever
    waited for the row is decided on what it has become. Raises InvitationRefused, after which the
    caller's transaction must roll back.
    """
    live = Invitation.objects.filter(pk=invitation.pk).live(now)
    if live.update(used_count=F("used_count") + 1):
        return
    current = Invitation.objects.select_related("partner").filter(pk=invitation.pk).first()
    refusal = InvitationRefusal.UNKNOWN if current is None else current.refusal(now)
    # Between the two statements a partner may have been unfrozen or a use added: what counted
    # was the UPDATE, and by then nothing was left.
    raise InvitationRefused(refusal or InvitationRefusal.USED_UP)


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

    Raises InvitationRefused when it is no e-mail, revoked, used up, the partner may not invite
    so, or the person was mailed invitations three times within a day.
    """
    if invitation.channel != Channel.EMAIL:
        raise InvitationRefused(InvitationProblem.NOT_BY_EMAIL)
    with transaction.atomic():
        lock_name(f"{MAIL_KIND}:{invitation.recipient}")
        locked = _lock(invitation)
        before = {"expires_at": _moment(locked.expires_at)}
        renewed = now + LIFE_OF_AN_EMAIL
        locked.expires_at = max(locked.expires_at or renewed, renewed)
        _check(locked, now)
        _check_mails_of_the_day(locked.recipient, now)
        locked.save(update_fields=["expires_at"])
        record_event(
            action="invitation.resent",
            about=locked,
            by=by,
            now=now,
            before=before,
            after={"expires_at": _moment(locked.expires_at)},
        )
        _promise_mail(locked, now)
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
    Raises InvitationRefused when it is not live, the new expiry is not ahead, or `max_uses` is
    below the uses there have been.
    """
    with transaction.atomic():
        locked = _lock(invitation)
        _check(locked, now)
        before = _made_of(locked)
        locked.label = label
        locked.note = note
        locked.expires_at = _expiry(locked.channel, expires_at, now)
        locked.max_uses = 1 if locked.channel == Channel.EMAIL else max_uses
        _check_uses(locked)
        if locked.refusal(now) == InvitationRefusal.EXPIRED:
            raise InvitationRefused(InvitationRefusal.EXPIRED)
        after = _made_of(locked)
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


def _copies(first: Invitation, labels: list[str]) -> list[Invitation]:
    """Insert links like the first, each with its own token and label; in the labels' order."""
    tokens = [new_token() for _ in labels]
    insert_copies(of=first, varying={"token": tokens, "label": labels})
    made = {}
    for start in range(0, len(tokens), BATCH):
        rows = Invitation.objects.filter(token__in=tokens[start : start + BATCH])
        made.update({invitation.token: invitation for invitation in rows})
    return [made[token] for token in tokens]


def _check(invitation: Invitation, now: datetime) -> None:
    """Raise InvitationRefused unless somebody could follow the invitation at `now`."""
    _check_uses(invitation)
    refusal = invitation.refusal(now)
    if refusal is not None:
        raise InvitationRefused(refusal)


def _check_uses(invitation: Invitation) -> None:
    if invitation.max_uses is None:
        return
    if invitation.max_uses < max(1, invitation.used_count):
        raise InvitationRefused(InvitationProblem.TOO_FEW_USES)
    if invitation.max_uses > MOST_USES:
        raise InvitationRefused(InvitationProblem.TOO_MANY_USES)


def _check_mails_of_the_day(recipient: str, now: datetime) -> None:
    mails = OutboxMessage.objects.filter(
        kind=MAIL_KIND, recipient=recipient, created_at__gt=now - timedelta(days=1)
    )
    if mails.count() >= MOST_MAILS_A_DAY:
        raise InvitationRefused(InvitationProblem.MAILED_TOO_OFTEN)


def _expiry(channel: str, expires_at: datetime | None, now: datetime) -> datetime | None:
    """Return when an invitation of this channel ends if the partner said `expires_at`."""
    if expires_at is None and channel == Channel.EMAIL:
        return now + LIFE_OF_AN_EMAIL
    return expires_at


def _promise_mail(invitation: Invitation, now: datetime) -> None:
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


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _made_of(invitation: Invitation) -> dict[str, Any]:
    """Return what the audit trail keeps: neither the token nor the recipient's address."""
    return {
        "partner": invitation.partner_id,
        "channel": str(invitation.channel),
        "association_type": str(invitation.association_type),
        "label": invitation.label,
        "note": invitation.note,
        "language": invitation.language,
        "country": str(invitation.country),
        "is_bound": invitation.is_bound,
        "max_uses": invitation.max_uses,
        "expires_at": _moment(invitation.expires_at),
    }
