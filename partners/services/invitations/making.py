"""Making invitations: one, or many links at once."""

from datetime import datetime

from django.db import transaction

from accounts.addresses import canonical_address
from accounts.models import AuditEvent, User
from accounts.services.audit import record_copies, record_event
from accounts.services.copies import insert_copies
from partners.enums import Channel
from partners.models import Invitation, InvitationBatch, Partner
from partners.services.invitations.mailing import promise_mail
from partners.services.invitations.quotas import check_quotas
from partners.services.invitations.terms import check_limits, check_live, expiry_of, terms_of
from partners.tokens import new_token

BATCH = 2000


def create_invitation(
    *,
    partner: Partner,
    channel: Channel,
    association_type: str,
    label: str,
    by: User | None,
    now: datetime,
    note: str = "",
    subject: str = "",
    language: str = "",
    country: str = "",
    recipient: str = "",
    recipient_name: str = "",
    is_bound: bool = True,
    max_uses: int | None = None,
    expires_at: datetime | None = None,
    mailed: bool = True,
    batch: InvitationBatch | None = None,
    token: str = "",
) -> Invitation:
    """Make one invitation, write `invitation.created`, and for an e-mail promise the mail.

    An e-mail invitation is for one use and lives seven days unless `expires_at` says otherwise; a
    link lives for ever unless it does. Raises InvalidAddress for the recipient, and
    InvitationNotSaved if nobody could follow the invitation (partner frozen, type not allowed,
    expiry not ahead), or if the recipient was mailed invitations three times within a day; with
    `mailed=False` nothing is mailed, and the link has to be handed over in another way. Raises
    QuotaReached as `check_quotas()` does, unless it belongs to a batch: its start was checked.
    `token` is one that `new_token()` gave before, so that a form sent twice makes one invitation:
    the second time raises IntegrityError, and nothing is written.
    """
    by_email = channel == Channel.EMAIL
    mailed = by_email and mailed
    invitation = Invitation(
        partner=partner,
        channel=channel,
        association_type=association_type,
        label=label,
        note=note,
        subject=subject,
        language=language,
        country=country,
        recipient=canonical_address(recipient) if by_email or recipient else "",
        recipient_name=recipient_name,
        is_bound=by_email and is_bound,
        max_uses=1 if by_email else max_uses,
        expires_at=expiry_of(channel, expires_at, now),
        mailed_at=now if mailed else None,
        created_at=now,
        created_by=by,
        batch=batch,
        token=token or new_token(),
    )
    with transaction.atomic():
        if batch is None:
            check_quotas(partner=partner, by=by, now=now, made=1, mailed=int(mailed))
        _write(invitation, by, now)
        if mailed:
            promise_mail(invitation=invitation, now=now, is_bulk=batch is not None)
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
    with transaction.atomic():
        check_quotas(partner=partner, by=by, now=now, made=count)
        return write_links(first=first, labels=labels, now=now)


def write_links(*, first: Invitation, labels: list[str], now: datetime) -> list[Invitation]:
    """Write a link like `first` for each label, `first` being the first, with all their events.

    Raises InvitationNotSaved if nobody could follow them. Call it inside a transaction.
    """
    event = _write(first, first.created_by, now)
    made_of = terms_of(first)
    others = _copies(first, labels[1:])
    record_copies(
        of=event, objects={other.pk: {**made_of, "label": other.label} for other in others}
    )
    return [first, *others]


def _write(invitation: Invitation, by: User | None, now: datetime) -> AuditEvent:
    """Insert the row with its event; raise InvitationNotSaved if nobody could follow it."""
    check_limits(invitation, now)
    check_live(invitation, now)
    invitation.save(force_insert=True)
    return record_event(
        action="invitation.created", about=invitation, by=by, now=now, after=terms_of(invitation)
    )


def _copies(first: Invitation, labels: list[str]) -> list[Invitation]:
    """Insert links like the first, each with its own token and label; in the labels' order."""
    tokens = [new_token() for _ in labels]
    insert_copies(of=first, varying={"token": tokens, "label": labels})
    made = {}
    for start in range(0, len(tokens), BATCH):
        rows = Invitation.objects.filter(token__in=tokens[start : start + BATCH])
        made.update({invitation.token: invitation for invitation in rows})
    return [made[token] for token in tokens]
