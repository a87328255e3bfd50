"""Batches of links: started by a member, made by the worker in chunks; ending any batch."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from audit.services import record_audit_event
from partners.enums import BatchState, Channel
from partners.models import InvitationBatch, Partner
from partners.services.invitation_drafts import (
    audited_terms,
    check_draft,
    draft_from_batch,
    numbered_links,
    save_invitations,
)
from partners.services.quotas import check_quotas
from web.moments import stored_moment
from web.refused import Refused
from web.shown_versions import ShownVersion, check_shown
from web.transactions import whole_transaction

MOST_LINKS = 10_000
# About a fifth of a second's work.
CHUNK = 1_000


@whole_transaction
def start_links(
    *, partner: Partner, size: int, by: User, now: datetime, **terms: Any
) -> InvitationBatch:
    """Start a batch of links and write `batch.started`; the worker makes them.

    `terms` are fields of the batch; `{n}` in the label becomes the number of each link, from 1.
    Raises Refused as `create_invitation()` does, also unless the quotas allow all of them now.
    """
    batch = InvitationBatch(
        partner=partner,
        channel=Channel.LINK,
        size=size,
        created_at=now,
        created_by=by,
        started_at=now,
        **terms,
    )
    with transaction.atomic():
        check_draft(draft_from_batch(batch, now=now), now)
        check_quotas(partner=partner, by=by, now=now, made=size)
        batch.save(force_insert=True)
        record_start(batch=batch, by=by, now=now)
    return batch


def make_batches(*, now: datetime) -> int:
    """Make the next links of one running batch that no other worker works on; return how many.

    A batch whose links could not be followed is stopped, and keeps the links that are made.
    """
    with transaction.atomic():
        batch = InvitationBatch.objects.lock_next(Channel.LINK)
        return 0 if batch is None else _make_some(batch, now)


def has_running_batches(*, now: datetime) -> bool:
    """Return whether links or e-mails are still to be made, by whichever worker."""
    return InvitationBatch.objects.running().exists()


@whole_transaction
def cancel_batch(*, batch: InvitationBatch, by: User, now: datetime) -> InvitationBatch:
    """Make no more of the batch unless it has ended already; what is made stays."""
    with transaction.atomic():
        locked = InvitationBatch.objects.select_for_update().get(pk=batch.pk)
        if locked.state in {BatchState.DRAFT, BatchState.RUNNING}:
            locked.cancelled_by = by
            end_batch(batch=locked, action="batch.cancelled", by=by, now=now)
    return locked


@whole_transaction
def rename_batch(
    *,
    batch: InvitationBatch,
    name: str,
    by: User,
    now: datetime,
    shown_version: ShownVersion | None = None,
) -> InvitationBatch:
    """Give the batch a name; "" is its label again. The labels of its invitations stay.

    Raises ChangedMeanwhile for `name`.
    """
    with transaction.atomic():
        locked = InvitationBatch.objects.select_for_update().get(pk=batch.pk)
        before = locked.name
        if name != before:
            check_shown(shown_version, {"name": before}, about=locked)
            locked.name = name
            locked.save(update_fields=["name"])
            record_audit_event(
                action="batch.renamed",
                about=locked,
                by=by,
                now=now,
                before={"name": before},
                after={"name": name},
            )
    return locked


def end_batch(
    *, batch: InvitationBatch, action: str, by: User | None = None, now: datetime
) -> None:
    """End the locked batch: it is finished (`batch.finished`) or cancelled (any other action)."""
    # The clock was read before the lock; the batch may have been started meanwhile.
    now = max(now, batch.started_at or now)
    moment = "finished_at" if action == "batch.finished" else "cancelled_at"
    setattr(batch, moment, now)
    batch.save(update_fields=[moment, "cancelled_by", "stop_reason"])
    record_audit_event(
        action=action,
        about=batch,
        by=by,
        now=now,
        before={moment: None},
        after={
            moment: stored_moment(now),
            "done_count": batch.done_count,
            "refused_count": batch.refused_count,
            "stop_reason": batch.stop_reason,
        },
    )


def record_start(*, batch: InvitationBatch, by: User, now: datetime) -> None:
    """Write `batch.started` with what the batch will make."""
    record_audit_event(
        action="batch.started",
        about=batch,
        by=by,
        now=now,
        before={"started_at": None},
        after={
            **audited_terms(batch),
            "size": batch.size,
            "started_at": stored_moment(batch.started_at),
        },
    )


def _make_some(batch: InvitationBatch, now: datetime) -> int:
    """Make a chunk of the locked batch; return how many links were made, or 1 for stopping it."""
    first, last = batch.done_count + 1, min(batch.size, batch.done_count + CHUNK)
    links = numbered_links(draft_from_batch(batch, now=now), range(first, last + 1))
    try:
        save_invitations(links, by=batch.created_by, now=now)
    except Refused as refused:
        batch.stop_reason = refused.code.value
        end_batch(batch=batch, action="batch.stopped", now=now)
        return 1
    batch.done_count = last
    batch.save(update_fields=["done_count"])
    if last == batch.size:
        end_batch(batch=batch, action="batch.finished", now=now)
    return len(links)
