"""Invitations: making one or many, editing, sending again, and revoking for good."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from audit.services import given_reason, record_audit_event
from outbox.services.suppression import is_suppressed
from partners.enums import BulkRefusal, Channel, EventKind, InvitationProblem, RowProblem
from partners.models import Invitation, Partner
from partners.models.invitations import REMOVED_ADDRESS
from partners.services.invitation_drafts import (
    LIFE_OF_AN_EMAIL,
    audited_terms,
    check_draft,
    check_limits,
    check_live,
    draft_invitation,
    enqueue_invitation_emails,
    numbered_links,
    save_invitations,
)
from partners.services.invitation_events import publish_invitations
from partners.services.known_people import customers_among
from partners.services.quotas import DAY, check_quotas, lock_recipients, recipients_at_limit
from partners.services.unsubscribe_links import unsubscribed_recipients
from web.moments import stored_moment
from web.refused import Refused
from web.shown_versions import ShownVersion, check_shown
from web.transactions import whole_transaction

EDITABLE = ("label", "customer_name", "reference", "note", "expires_at", "max_uses")


def create_invitation(
    *, partner: Partner, by: User | None, now: datetime, mailed: bool = True, **terms: Any
) -> Invitation:
    """Make one invitation, and enqueue its e-mail unless it is a link or not to be `mailed`.

    A recipient who does not want the partner's invitations is not mailed: it `is_withheld`.
    `terms` are arguments of `draft_invitation()`. Raises InvalidAddress for the recipient. Raises
    Refused if the invitation could not be followed, if the recipient was sent three invitations
    within a day, or if a quota is used up (`check_quotas()`).
    """
    draft = draft_invitation(partner=partner, now=now, **terms)
    [created] = _create([draft], by=by, now=now, mailed=mailed)
    return created


def create_invitations(
    *, partner: Partner, terms: Sequence[Mapping[str, Any]], by: User | None, now: datetime
) -> list[Invitation]:
    """Make all these invitations or none, each as `create_invitation()` does.

    Their e-mails are sent after all others. What is refused for one of them has its place among the
    terms, from 0, as `item` in the context; so has a recipient that is among them twice.
    """
    drafts = [draft_invitation(partner=partner, now=now, **own) for own in terms]
    recipients: set[str] = set()
    for item, draft in enumerate(drafts):
        if draft.recipient in recipients:
            raise Refused(RowProblem.DUPLICATE, item=item)
        recipients |= {draft.recipient} - {""}
        with naming_item(item):
            check_draft(draft, now)
    return _create(drafts, by=by, now=now, is_bulk=True)


@whole_transaction
def _create(
    drafts: list[Invitation],
    *,
    by: User | None,
    now: datetime,
    mailed: bool = True,
    is_bulk: bool = False,
) -> list[Invitation]:
    by_email = [draft for draft in drafts if draft.channel == Channel.EMAIL and mailed]
    unwanted = unsubscribed_recipients(by_email)
    wanted = [draft for draft in by_email if draft.pk not in unwanted]
    for draft in wanted:
        draft.mailed_at = now
    with transaction.atomic():
        partner = drafts[0].partner
        check_quotas(partner=partner, by=by, now=now, made=len(drafts), mailed=len(wanted))
        if wanted:
            _check_recipients(wanted, now, items=drafts if is_bulk else ())
        save_invitations(drafts, by=by, now=now)
        if wanted:
            enqueue_invitation_emails(wanted, now=now, is_bulk=is_bulk)
    return drafts


@contextmanager
def naming_item(item: int) -> Iterator[None]:
    """Add to what is refused inside which of many it is about."""
    try:
        yield
    except Refused as refused:
        refused.context["item"] = item
        raise


@whole_transaction
def create_links(
    *, count: int, partner: Partner, label: str, by: User | None, now: datetime, **terms: Any
) -> list[Invitation]:
    """Make `count` links at once, all or none; `{n}` in the label becomes the number, from 1.

    `terms` and errors are those of `create_invitation()`.
    """
    draft = draft_invitation(partner=partner, channel=Channel.LINK, label=label, now=now, **terms)
    links = numbered_links(draft, range(1, count + 1))
    with transaction.atomic():
        check_quotas(partner=partner, by=by, now=now, made=count)
        save_invitations(links, by=by, now=now)
    return links


@whole_transaction
def edit_invitation(
    *,
    invitation: Invitation,
    label: str,
    note: str,
    expires_at: datetime | None,
    max_uses: int | None,
    customer_name: str = "",
    reference: str = "",
    by: User | None,
    now: datetime,
    shown_version: ShownVersion | None = None,
) -> Invitation:
    """Change what may change of a live invitation; writes nothing when nothing differs.

    An e-mail keeps its one use, and gets seven days when `expires_at` is None. Raises Refused when
    the invitation is not live, or a limit makes no sense, and ChangedMeanwhile if the version is
    not that of `editable_terms()`.
    """
    with transaction.atomic():
        locked = _lock(invitation)
        check_live(locked, now)
        shown, before = editable_terms(locked), audited_terms(locked)
        by_email = locked.channel == Channel.EMAIL
        locked.label = label
        locked.note = note
        locked.customer_name, locked.reference = customer_name, reference
        locked.expires_at = now + LIFE_OF_AN_EMAIL if by_email and not expires_at else expires_at
        locked.max_uses = 1 if by_email else max_uses
        check_limits(locked, now)
        after = audited_terms(locked)
        changed = [name for name in after if after[name] != before[name]]
        if changed:
            check_shown(shown_version, shown, about=locked)
            locked.save(update_fields=changed)
            before, after = ({name: values[name] for name in changed} for values in (before, after))
            record_audit_event(
                action="invitation.edited", about=locked, by=by, now=now, before=before, after=after
            )
    return locked


def editable_terms(invitation: Invitation) -> dict[str, Any]:
    """Return what the page shows that edits the invitation."""
    return {name: getattr(invitation, name) for name in EDITABLE}


@whole_transaction
def resend_invitation(
    *, invitation: Invitation, by: User | None, now: datetime, is_bulk: bool = False
) -> Invitation:
    """Mail the same link again; it lives at least seven more days, even if it had expired.

    An e-mail that `is_bulk` is sent after all others, and not to a customer of the partner: who
    sends many has not looked at each.

    Raises Refused when it is no e-mail, when its recipient is no longer stored or does not want the
    partner's invitations, and when it cannot be followed for another reason than its expiry.
    Limits are those of `create_invitation()`.
    """
    if invitation.channel != Channel.EMAIL:
        raise Refused(InvitationProblem.NOT_BY_EMAIL)
    with transaction.atomic():
        locked = _lock(invitation)
        if locked.recipient == REMOVED_ADDRESS:
            raise Refused(InvitationProblem.RECIPIENT_REMOVED)
        if is_suppressed(address=locked.recipient, sender=locked.partner):
            raise Refused(InvitationProblem.DOES_NOT_WANT_EMAIL)
        if is_bulk and customers_among([locked.recipient], partner=locked.partner):
            raise Refused(RowProblem.ALREADY_CUSTOMER)
        before = {"expires_at": stored_moment(locked.expires_at)}
        locked.expires_at = expiry_when_resent(locked, now)
        check_live(locked, now)
        is_one_more = locked.mailed_at is None or locked.mailed_at <= now - DAY
        check_quotas(partner=locked.partner, by=by, now=now, mailed=int(is_one_more))
        _check_recipients([locked], now)
        locked.mailed_at, locked.undelivered_at = now, None
        locked.save(update_fields=["expires_at", "mailed_at", "undelivered_at"])
        after = {"expires_at": stored_moment(locked.expires_at)}
        record_audit_event(
            action="invitation.resent", about=locked, by=by, now=now, before=before, after=after
        )
        enqueue_invitation_emails([locked], now=now, is_bulk=is_bulk)
    return locked


def expiry_when_resent(invitation: Invitation, now: datetime) -> datetime:
    """Return until when the invitation lives if it is mailed again now."""
    renewed = now + LIFE_OF_AN_EMAIL
    return max(invitation.expires_at or renewed, renewed)


@whole_transaction
def extend_invitation(
    *, invitation: Invitation, expires_at: datetime, by: User | None, now: datetime
) -> Invitation:
    """Let the invitation live until then, even if it had expired.

    Raises Refused: LIVES_LONGER, and as `edit_invitation()` does for what the expiry is not about.
    """
    with transaction.atomic():
        locked = _lock(invitation)
        before = {"expires_at": stored_moment(locked.expires_at)}
        lives_longer = locked.expires_at is None or locked.expires_at > expires_at
        locked.expires_at = expires_at
        check_live(locked, now)
        if lives_longer:
            raise Refused(BulkRefusal.LIVES_LONGER)
        after = {"expires_at": stored_moment(expires_at)}
        if after != before:
            locked.save(update_fields=["expires_at"])
            record_audit_event(
                action="invitation.edited", about=locked, by=by, now=now, before=before, after=after
            )
    return locked


@whole_transaction
def revoke_invitation(
    *, invitation: Invitation, by: User | None, now: datetime, reason: str = ""
) -> Invitation:
    """Revoke the invitation for good; a second time does nothing.

    The audit trail has the reason.
    """
    with transaction.atomic():
        locked = _lock(invitation)
        if locked.revoked_at is None:
            _revoke(locked, by, now, reason)
    return locked


@whole_transaction
def revoke_unfinished_invitation(
    *, invitation: Invitation, by: User | None, now: datetime
) -> Invitation:
    """Revoke it unless that is without effect. Raises Refused: REVOKED, USED_UP."""
    with transaction.atomic():
        locked = _lock(invitation)
        if locked.revoked_at is not None:
            raise Refused(InvitationProblem.REVOKED)
        if locked.remaining_uses == 0:
            raise Refused(InvitationProblem.USED_UP)
        _revoke(locked, by, now)
    return locked


def _revoke(locked: Invitation, by: User | None, now: datetime, reason: str = "") -> None:
    locked.revoked_at = now
    locked.revoked_by = by
    locked.save(update_fields=["revoked_at", "revoked_by"])
    record_audit_event(
        action="invitation.revoked",
        about=locked,
        by=by,
        now=now,
        before={"revoked_at": None},
        after={"revoked_at": now.isoformat(), **given_reason(reason)},
    )
    publish_invitations(kind=EventKind.INVITATION_REVOKED, invitations=[locked], now=now)


def _lock(invitation: Invitation) -> Invitation:
    rows = Invitation.objects.select_related("partner").select_for_update(of=("self",))
    return rows.get(pk=invitation.pk)


def _check_recipients(
    invitations: Sequence[Invitation], now: datetime, *, items: Sequence[Invitation] = ()
) -> None:
    """Raise Refused for the first that was mailed too often, with its place among the `items`."""
    recipients = [invitation.recipient for invitation in invitations]
    lock_recipients(recipients)
    at_limit = recipients_at_limit(recipients, now=now)
    for invitation in invitations:
        again_at = at_limit.get(invitation.recipient)
        if again_at is not None:
            place: dict[str, Any] = {"item": items.index(invitation)} if items else {}
            raise Refused(InvitationProblem.MAILED_TOO_OFTEN, again_at=again_at, **place)
