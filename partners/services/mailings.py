"""Batches of e-mails: a list is kept as a draft, started by a member, mailed by the worker."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from audit.services import record_audit_event
from partners.enums import Channel, InvitationProblem, MailingRefusal
from partners.models import BatchRow, Invitation, InvitationBatch, Partner
from partners.services.batches import end_batch, record_start
from partners.services.invitation_drafts import (
    check_draft,
    draft_from_batch,
    enqueue_invitation_emails,
    save_invitations,
)
from partners.services.quotas import check_quotas, lock_recipients, recipients_at_limit
from partners.services.unsubscribe_links import unsubscribed
from web.refused import Refused
from web.transactions import whole_transaction

# Other writers on SQLite wait for a chunk.
CHUNK = 50


@whole_transaction
def draft_mailing(
    *, partner: Partner, people: Sequence[BatchRow], by: User, now: datetime, **terms: Any
) -> InvitationBatch:
    """Save the list as a draft, of which nothing is sent.

    `people` are rows of `read_list()`, at least one without a problem. Raises Refused when such an
    invitation could not be followed.
    """
    good = [person for person in people if not person.problem]
    batch = InvitationBatch(
        partner=partner,
        channel=Channel.EMAIL,
        max_uses=1,
        size=len(good),
        created_at=now,
        created_by=by,
        **terms,
    )
    check_draft(draft_of_row(batch, good[0], now), now)
    with transaction.atomic():
        batch.save(force_insert=True)
        for person in people:
            person.batch = batch
        BatchRow.objects.bulk_create(people, batch_size=1_000)
        record_audit_event(
            action="batch.drafted",
            about=batch,
            by=by,
            now=now,
            after={"partner": partner.pk, "channel": str(batch.channel), "size": batch.size},
        )
    return batch


@whole_transaction
def start_mailing(
    *, batch: InvitationBatch, subject: str, note: str, by: User, now: datetime
) -> InvitationBatch:
    """Let the worker mail the rows without a problem; a second time does nothing.

    Raises Refused for a draft that was discarded, for a list that was started with another subject
    or note, and as `start_links()` does.
    """
    with transaction.atomic():
        rows = InvitationBatch.objects.select_related("partner").select_for_update(of=("self",))
        locked = rows.get(pk=batch.pk)
        if locked.cancelled_at is not None:
            raise Refused(MailingRefusal.CANCELLED)
        if locked.started_at is None:
            locked.subject, locked.note, locked.started_at = subject, note, now
            check_draft(draft_of_row(locked, pending_rows(locked)[0], now), now)
            check_quotas(
                partner=locked.partner, by=by, now=now, made=locked.size, mailed=locked.size
            )
            locked.save(update_fields=["subject", "note", "started_at"])
            record_start(batch=locked, by=by, now=now)
        elif (locked.subject, locked.note) != (subject, note):
            raise Refused(MailingRefusal.STARTED)
    return locked


def mark_unsubscribed_people(people: Sequence[BatchRow], *, partner: Partner) -> None:
    """Give the good rows of people who do not want the partner's invitations their problem."""
    good = [person for person in people if not person.problem]
    unsubscribed_at = unsubscribed({person.email for person in good}, partner=partner)
    for person in good:
        if person.email in unsubscribed_at:
            person.problem = InvitationProblem.DOES_NOT_WANT_EMAIL.value


def pending_rows(batch: InvitationBatch) -> QuerySet[BatchRow]:
    """Return the rows that are still to be mailed, in the addresses' order."""
    rows = batch.rows.filter(problem="", invitation__isnull=True)
    return rows.order_by("email", "number")


def draft_of_row(batch: InvitationBatch, row: BatchRow, now: datetime) -> Invitation:
    """Return the invitation of one row as it would be made now; its own words come first."""
    return draft_from_batch(
        batch,
        now=now,
        label=(row.name or row.email)[:120],
        note=row.note or batch.note,
        country=row.country or batch.country,
        recipient=row.email,
        recipient_is_stored=True,
        recipient_name=row.name,
    )


def mail_batches(*, now: datetime) -> int:
    """Mail the next rows of one running batch that no other worker works on; return how many.

    A batch whose invitations could not be followed is stopped, and keeps what is sent.
    """
    with transaction.atomic():
        batch = InvitationBatch.objects.lock_next(Channel.EMAIL)
        return 0 if batch is None else _mail_some(batch, now)


def _mail_some(batch: InvitationBatch, now: datetime) -> int:
    """Mail a chunk of the locked batch; return how many rows are done, or 1 for stopping it."""
    rows = list(pending_rows(batch)[:CHUNK])
    drafts = [draft_of_row(batch, row, now) for row in rows]
    try:
        check_draft(drafts[0], now)
    except Refused as refused:
        batch.stop_reason = refused.code.value
        end_batch(batch=batch, action="batch.stopped", now=now)
        return 1
    refused_count = _invite_rows(batch, list(zip(rows, drafts, strict=True)), now)
    batch.done_count += len(rows)
    batch.refused_count += refused_count
    batch.save(update_fields=["done_count", "refused_count"])
    if batch.done_count == batch.size:
        end_batch(batch=batch, action="batch.finished", now=now)
    return len(rows)


def _invite_rows(
    batch: InvitationBatch, rows: Sequence[tuple[BatchRow, Invitation]], now: datetime
) -> int:
    """Make and mail the drafts; return how many people cannot be mailed now.

    They were mailed too often, or do not want the partner's invitations.
    """
    recipients = [draft.recipient for _row, draft in rows]
    lock_recipients(recipients)
    at_limit = recipients_at_limit(recipients, now=now)
    unsubscribed_at = unsubscribed(recipients, partner=batch.partner)
    made = []
    for row, draft in rows:
        if draft.recipient in unsubscribed_at:
            row.problem = InvitationProblem.DOES_NOT_WANT_EMAIL.value
        elif draft.recipient in at_limit:
            row.problem = InvitationProblem.MAILED_TOO_OFTEN.value
        else:
            draft.mailed_at = now
            row.invitation = draft
            made.append(draft)
    if made:
        save_invitations(made, by=batch.created_by, now=now)
        enqueue_invitation_emails(made, now=now, is_bulk=True)
    BatchRow.objects.bulk_update([row for row, _draft in rows], ["invitation", "problem"])
    return len(rows) - len(made)
