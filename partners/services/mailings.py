"""Batches of e-mails: a list is kept as a draft, started by a member, mailed by the worker.

Each row of the list ends with an invitation or with a problem, and never with both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from accounts.services.audit import record_event
from accounts.services.locks import lock_name
from partners.enums import Channel, InvitationProblem, MailingProblem
from partners.models import BatchRow, Invitation, InvitationBatch, Partner
from partners.services.batches import discard_batch, finish_batch, record_start, stop_batch
from partners.services.invitations import InvitationNotSaved, check_quotas, create_invitation
from partners.services.invitations.made_once import draft_email
from partners.services.invitations.terms import check_limits, check_live
from partners.services.twice import DOUBLE_CLICK, ends_about

# About a second's work; mails that were promised wait for it.
CHUNK = 50
# A list that waits longer was forgotten, and names people.
OLD_DRAFT = timedelta(days=7)
# What two drafts of one list share, beside their rows and their expiry.
_TERMS = (
    *("partner", "channel", "association_type", "label", "subject", "note", "language"),
    *("country", "is_bound", "max_uses", "size", "created_by"),
)
# What concerns one person; every other refusal concerns all that follow.
OF_ONE_ROW = {InvitationProblem.MAILED_TOO_OFTEN}


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """One row of a list; `problem` is the code that speaks against it, or None."""

    number: int
    name: str
    email: str
    country: str
    note: str
    problem: str | None = None


class MailingRefused(Exception):
    """The batch cannot be started; `code` says why."""

    def __init__(self, code: MailingProblem) -> None:
        super().__init__(code.value)
        self.code = code


def draft_mailing(
    *, partner: Partner, people: Sequence[ListedPerson], by: User, now: datetime, **terms: Any
) -> InvitationBatch:
    """Keep the list as a draft of which nothing is sent, and write `batch.drafted`.

    At least one row is good; the size is the number of those. The same list of the same member
    again within a minute returns the draft. Raises InvitationNotSaved when nobody could follow such
    an invitation.
    """
    size = sum(person.problem is None for person in people)
    batch = InvitationBatch(
        partner=partner,
        channel=Channel.EMAIL,
        max_uses=1,
        size=size,
        created_at=now,
        created_by=by,
        **terms,
    )
    first = next(person for person in people if person.problem is None)
    _check(batch, first, now)
    with transaction.atomic():
        lock_name(f"partners.mailing:{by.pk}")
        same = _same_draft(batch, people)
        if same is not None:
            return same
        batch.save(force_insert=True)
        BatchRow.objects.bulk_create(
            (
                BatchRow(
                    batch=batch,
                    number=person.number,
                    name=person.name,
                    email=person.email,
                    country=person.country,
                    note=person.note,
                    problem=person.problem or "",
                )
                for person in people
            ),
            batch_size=1_000,
        )
        record_event(
            action="batch.drafted",
            about=batch,
            by=by,
            now=now,
            after={"partner": partner.pk, "channel": str(batch.channel), "size": size},
        )
    return batch


def discard_old_drafts(*, now: datetime) -> int:
    """Cancel some lists that nobody started for seven days; return how many."""
    with transaction.atomic():
        drafts = InvitationBatch.objects.in_state("draft").filter(created_at__lte=now - OLD_DRAFT)
        old = drafts.select_for_update(skip_locked=True, of=("self",)).order_by("pk")[:CHUNK]
        for batch in old:
            discard_batch(batch=batch, now=now)
    return len(old)


def start_mailing(
    *, batch: InvitationBatch, subject: str, note: str, by: User, now: datetime
) -> InvitationBatch:
    """Let the worker mail the good rows, and write `batch.started`; a second time does nothing.

    Raises MailingRefused when the draft was discarded, InvitationNotSaved when nobody could follow
    the invitations, and QuotaReached unless all of them may be mailed now.
    """
    with transaction.atomic():
        rows = InvitationBatch.objects.select_related("partner").select_for_update(of=("self",))
        locked = rows.get(pk=batch.pk)
        if locked.cancelled_at is not None:
            raise MailingRefused(MailingProblem.CANCELLED)
        if locked.started_at is None:
            locked.subject, locked.note, locked.started_at = subject, note, now
            row = pending_rows(locked)[0]
            _check(locked, row, now)
            check_quotas(
                partner=locked.partner, by=by, now=now, made=locked.size, mailed=locked.size
            )
            locked.save(update_fields=["subject", "note", "started_at"])
            record_start(batch=locked, by=by, now=now)
    return locked


def pending_rows(batch: InvitationBatch) -> QuerySet[BatchRow]:
    """Return the rows that are still to be mailed, in the addresses' order."""
    rows = batch.rows.filter(problem="", invitation__isnull=True)
    return rows.order_by("email", "number")


def draft_of_row(batch: InvitationBatch, row: BatchRow | ListedPerson, now: datetime) -> Invitation:
    """Return the invitation of one row as it would be made now, not saved."""
    return draft_email(partner=batch.partner, now=now, **_terms_of(batch, row))


def mail_batches(*, now: datetime) -> int:
    """Mail the next rows of one running batch, all of them or none; return how many.

    Any number of workers may do so: each takes a batch that no other one works on. A batch whose
    invitations nobody could follow any more is stopped, and keeps what is sent.
    """
    with transaction.atomic():
        running = InvitationBatch.objects.running().filter(channel=Channel.EMAIL)
        free = running.select_for_update(skip_locked=True, of=("self",))
        batch = free.select_related("partner", "created_by").order_by("started_at", "pk").first()
        return 0 if batch is None else _mail_some(batch, now)


def _mail_some(batch: InvitationBatch, now: datetime) -> int:
    """Deal with a chunk of the locked batch; return how many rows, at least one."""
    rows = list(pending_rows(batch)[:CHUNK])
    done = 0
    stopped: InvitationProblem | None = None
    for row in rows:
        try:
            # A savepoint: what one person is refused undoes nothing of the others.
            with transaction.atomic():
                row.invitation = create_invitation(
                    partner=batch.partner,
                    channel=Channel.EMAIL,
                    by=batch.created_by,
                    now=now,
                    batch=batch,
                    **_terms_of(batch, row),
                )
        except InvitationNotSaved as refused:
            if refused.code not in OF_ONE_ROW:
                stopped = refused.code
                break
            row.problem = refused.code.value
            batch.refused_count += 1
        done += 1
    BatchRow.objects.bulk_update(rows[:done], ["invitation", "problem"])
    batch.done_count += done
    batch.save(update_fields=["done_count", "refused_count"])
    if stopped is not None:
        stop_batch(batch=batch, reason=stopped, now=now)
    elif batch.done_count == batch.size:
        finish_batch(batch=batch, now=now)
    return max(done, 1)


def _terms_of(batch: InvitationBatch, row: BatchRow | ListedPerson) -> dict[str, Any]:
    """Return what the row's invitation says: its own words before those of the batch."""
    return {
        "association_type": batch.association_type,
        "label": (row.name or row.email)[:120],
        "subject": batch.subject,
        "note": row.note or batch.note,
        "language": batch.language,
        "country": row.country or str(batch.country),
        "recipient": row.email,
        "recipient_name": row.name,
        "is_bound": batch.is_bound,
        "expires_at": batch.expires_at,
    }


def _same_draft(batch: InvitationBatch, people: Sequence[ListedPerson]) -> InvitationBatch | None:
    """Return the draft of the same terms and rows that was kept within a minute, if any."""
    terms = {name: getattr(batch, name) for name in _TERMS}
    lately = InvitationBatch.objects.in_state("draft").filter(
        ends_about(batch.expires_at), created_at__gt=batch.created_at - DOUBLE_CLICK, **terms
    )
    wanted = [
        (person.number, person.name, person.email, person.country, person.note) for person in people
    ]
    for draft in lately.order_by("-pk"):
        rows = draft.rows.order_by("number")
        if list(rows.values_list("number", "name", "email", "country", "note")) == wanted:
            return draft
    return None


def _check(batch: InvitationBatch, row: BatchRow | ListedPerson, now: datetime) -> None:
    """Raise InvitationNotSaved unless the row's invitation could be followed at `now`."""
    offer = draft_of_row(batch, row, now)
    check_limits(offer, now)
    check_live(offer, now)
