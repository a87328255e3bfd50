"""Batches of e-mails: a list is kept as a draft, started by a member, mailed by the worker."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Coalesce

from accounts.models import User
from audit.services import record_audit_event
from partners.enums import (
    Channel,
    InvitationProblem,
    MailingRefusal,
    RowProblem,
    RowRemark,
)
from partners.models import BatchRow, Invitation, InvitationBatch, Partner
from partners.services.batches import end_batch, record_start
from partners.services.invitation_drafts import (
    check_draft,
    draft_from_batch,
    enqueue_invitation_emails,
    save_invitations,
)
from partners.services.known_people import find_known_people
from partners.services.quotas import check_quotas, lock_recipients, recipients_at_limit
from partners.services.unsubscribe_links import unsubscribed
from web.refused import Refused
from web.transactions import whole_transaction

# Other writers on SQLite wait for a chunk.
CHUNK = 50
# Remarks on people who are passed over, unless that has changed when the list is started.
PASSED_OVER = (RowRemark.ALREADY_INVITED, RowRemark.MAILED_TOO_OFTEN)
# What they became when the list was sent: nothing in the file is wrong.
WERE_PASSED_OVER = Q(problem__in=(RowProblem.ALREADY_INVITED, InvitationProblem.MAILED_TOO_OFTEN))
BAD = ~Q(problem="") & ~WERE_PASSED_OVER
REMARKED = WERE_PASSED_OVER | Q(problem="") & ~Q(remark="")


@whole_transaction
def draft_mailing(
    *, partner: Partner, people: Sequence[BatchRow], by: User, now: datetime, **terms: Any
) -> InvitationBatch:
    """Save the list as a draft, of which nothing is sent.

    `people` are rows of `read_list()`, at least one without a problem; `terms` are fields of the
    batch. Raises Refused when such an invitation could not be followed.
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
    *,
    batch: InvitationBatch,
    subject: str,
    note: str,
    invites_again: bool = False,
    by: User,
    now: datetime,
) -> InvitationBatch:
    """Let the worker mail the rows without a problem; a second time does nothing.

    People who have become customers are passed over, and with `invites_again` False also those who
    have a live e-mail invitation. Raises Refused if that is everybody, for a draft that was
    discarded, for a list that was started with other words or for fewer people, and as
    `start_links()` does.
    """
    with transaction.atomic():
        rows = InvitationBatch.objects.select_related("partner").select_for_update(of=("self",))
        locked = rows.get(pk=batch.pk)
        if locked.cancelled_at is not None:
            raise Refused(MailingRefusal.CANCELLED)
        if locked.started_at is None:
            locked.subject, locked.note, locked.started_at = subject, note, now
            check_draft(draft_of_row(locked, pending_rows(locked)[0], now), now)
            _pass_over_known_people(locked, invites_again=invites_again, now=now)
            check_quotas(
                partner=locked.partner, by=by, now=now, made=locked.size, mailed=locked.size
            )
            locked.save(update_fields=["subject", "note", "started_at", "size"])
            record_start(batch=locked, by=by, now=now)
        elif (locked.subject, locked.note) != (subject, note) or (
            invites_again and locked.rows.filter(problem=RowProblem.ALREADY_INVITED).exists()
        ):
            raise Refused(MailingRefusal.STARTED)
    return locked


def _pass_over_known_people(batch: InvitationBatch, *, invites_again: bool, now: datetime) -> None:
    """Give rows of the locked draft a problem by what is true now, and reduce its size."""
    addresses = pending_rows(batch).values_list("email", flat=True)
    known = find_known_people(addresses=set(addresses), partner=batch.partner, now=now)
    problems = {RowProblem.ALREADY_CUSTOMER: known.customers}
    if not invites_again:
        problems[RowProblem.ALREADY_INVITED] = known.invited
    for problem, passed_over in problems.items():
        rows = batch.rows.filter(problem="", email__in=passed_over)
        batch.size -= rows.update(problem=problem.value)
    if not batch.size:
        raise Refused(MailingRefusal.NOBODY_LEFT)


@dataclass(frozen=True, slots=True)
class RowCounts:
    """People to be mailed, invited already, mailed too often, passed over; then rows of the file.

    A row of the file can have several people.
    """

    good: int
    invited: int
    mailed_too_often: int
    were_passed_over: int
    with_remark: int
    bad: int


def count_rows(batch: InvitationBatch) -> RowCounts:
    """Count the rows in one statement; those of people who are passed over are not good."""
    good, row = Q(problem=""), Coalesce("row_number", "number")
    return RowCounts(
        **batch.rows.aggregate(
            good=Count("pk", filter=good & ~Q(remark__in=PASSED_OVER)),
            invited=Count("pk", filter=good & Q(remark=RowRemark.ALREADY_INVITED)),
            mailed_too_often=Count("pk", filter=good & Q(remark=RowRemark.MAILED_TOO_OFTEN)),
            were_passed_over=Count("pk", filter=WERE_PASSED_OVER),
            with_remark=Count(row, distinct=True, filter=REMARKED),
            bad=Count(row, distinct=True, filter=BAD),
        )
    )


def bad_rows(batch: InvitationBatch) -> QuerySet[BatchRow]:
    """Return the rows in which something has to be mended, in the order of the file."""
    return batch.rows.filter(BAD).order_by("number")


def remarked_rows(batch: InvitationBatch) -> QuerySet[BatchRow]:
    """Return the rows with a remark, and those of people who were passed over."""
    return batch.rows.filter(REMARKED).order_by("number")


def first_people(batch: InvitationBatch, count: int) -> Sequence[BatchRow]:
    """Return the first people who would be mailed, in the order of the file."""
    return list(pending_rows(batch).exclude(remark__in=PASSED_OVER)[:count])


def pending_rows(batch: InvitationBatch) -> QuerySet[BatchRow]:
    """Return the rows that are still to be mailed, in the order of the file."""
    return batch.rows.filter(problem="", invitation__isnull=True).order_by("number")


def row_for_preview(batch: InvitationBatch) -> BatchRow | None:
    """Return a pending row, if possible of a person who is not passed over."""
    rows = pending_rows(batch)
    return rows.exclude(remark__in=PASSED_OVER).first() or rows.first()


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
        reference=row.reference,
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
    # Invitations of one moment are sorted by their keys, which has to be the order of the file.
    for draft, key in zip(drafts, sorted(draft.pk for draft in drafts), strict=True):
        draft.pk = key
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
