"""Batches of links: started by a member, made by the worker in chunks, cancelled in between.

What ends a batch, `finish_batch()` and `stop_batch()`, serves batches of e-mails as well.
"""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from accounts.services.audit import record_event
from accounts.services.locks import lock_name
from partners.enums import Channel, InvitationProblem
from partners.models import Invitation, InvitationBatch, Partner
from partners.services.invitations import InvitationNotSaved, check_quotas, write_links
from partners.services.invitations.terms import check_limits, check_live, moment_text
from partners.services.twice import DOUBLE_CLICK, ends_about

MOST_AT_ONCE = 10_000
# About a fifth of a second's work.
CHUNK = 1_000


def start_links(
    *,
    partner: Partner,
    association_type: str,
    label: str,
    size: int,
    by: User,
    now: datetime,
    note: str = "",
    language: str = "",
    country: str = "",
    max_uses: int | None = None,
    expires_at: datetime | None = None,
) -> InvitationBatch:
    """Start a batch of links and write `batch.started`; the worker makes them.

    `{n}` in the label becomes the number of each, from 1. The same wish again within a minute
    returns the batch that was started, unless it was cancelled. Raises InvitationNotSaved as
    `create_invitation()` does, and QuotaReached unless all of them may be made now.
    """
    wish: dict[str, Any] = {
        "partner": partner,
        "channel": Channel.LINK,
        "association_type": association_type,
        "label": label,
        "note": note,
        "language": language,
        "country": country,
        "max_uses": max_uses,
        "size": size,
        "created_by": by,
    }
    with transaction.atomic():
        lock_name(f"partners.batch:{by.pk}")
        lately = InvitationBatch.objects.filter(
            ends_about(expires_at),
            **wish,
            created_at__gt=now - DOUBLE_CLICK,
            cancelled_at__isnull=True,
        )
        same = lately.order_by("pk").last()
        if same is not None:
            return same
        batch = InvitationBatch(**wish, expires_at=expires_at, created_at=now, started_at=now)
        first = _link_of(batch, now)
        check_limits(first, now)
        check_live(first, now)
        check_quotas(partner=partner, by=by, now=now, made=size)
        batch.save(force_insert=True)
        record_start(batch=batch, by=by, now=now)
    return batch


def make_batches(*, now: datetime) -> int:
    """Make the next links of one running batch, all of them or none; return how many.

    Any number of workers may do so: each takes a batch that no other one works on. A batch whose
    links nobody could follow any more is stopped, and keeps what is made.
    """
    with transaction.atomic():
        running = InvitationBatch.objects.running().filter(channel=Channel.LINK)
        free = running.select_for_update(skip_locked=True, of=("self",))
        batch = free.select_related("partner", "created_by").order_by("started_at", "pk").first()
        return 0 if batch is None else _make_some(batch, now)


def cancel_batch(*, batch: InvitationBatch, by: User, now: datetime) -> InvitationBatch:
    """Make no more of the batch, and write `batch.cancelled`; what is made stays.

    Does nothing to a batch that has ended already.
    """
    with transaction.atomic():
        locked = InvitationBatch.objects.select_for_update().get(pk=batch.pk)
        if locked.state in {"draft", "running"}:
            locked.cancelled_by = by
            _end(locked, "batch.cancelled", "cancelled_at", by, now)
    return locked


def discard_batch(*, batch: InvitationBatch, now: datetime) -> None:
    """Cancel the locked draft that nobody started; writes `batch.cancelled`."""
    _end(batch, "batch.cancelled", "cancelled_at", None, now)


def stop_batch(*, batch: InvitationBatch, reason: InvitationProblem, now: datetime) -> None:
    """Cancel the locked batch because the worker cannot go on; writes `batch.stopped`."""
    batch.stop_reason = reason.value
    _end(batch, "batch.stopped", "cancelled_at", None, now)


def finish_batch(*, batch: InvitationBatch, now: datetime) -> None:
    """Say of the locked batch that all is done; writes `batch.finished`."""
    _end(batch, "batch.finished", "finished_at", None, now)


def record_start(*, batch: InvitationBatch, by: User, now: datetime) -> None:
    """Write `batch.started`: what the batch will make."""
    record_event(
        action="batch.started",
        about=batch,
        by=by,
        now=now,
        before={"started_at": None},
        after={
            "partner": batch.partner_id,
            "channel": str(batch.channel),
            "association_type": str(batch.association_type),
            "label": batch.label,
            "subject": batch.subject,
            "note": batch.note,
            "language": batch.language,
            "country": str(batch.country),
            "is_bound": batch.is_bound,
            "max_uses": batch.max_uses,
            "expires_at": moment_text(batch.expires_at),
            "size": batch.size,
            "started_at": moment_text(batch.started_at),
        },
    )


def _make_some(batch: InvitationBatch, now: datetime) -> int:
    """Make a chunk of the locked batch; return how many rows were dealt with, at least one."""
    last = min(batch.size, batch.done_count + CHUNK)
    numbers = range(batch.done_count + 1, last + 1)
    try:
        write_links(
            first=_link_of(batch, now, numbers[0]),
            labels=[_label(batch, number) for number in numbers],
            now=now,
        )
    except InvitationNotSaved as refused:
        stop_batch(batch=batch, reason=refused.code, now=now)
        return 1
    batch.done_count = last
    batch.save(update_fields=["done_count"])
    if last == batch.size:
        finish_batch(batch=batch, now=now)
    return len(numbers)


def _link_of(batch: InvitationBatch, now: datetime, number: int = 1) -> Invitation:
    """Return the link with this number, not saved."""
    return Invitation(
        partner=batch.partner,
        channel=Channel.LINK,
        association_type=batch.association_type,
        label=_label(batch, number),
        note=batch.note,
        language=batch.language,
        country=batch.country,
        max_uses=batch.max_uses,
        expires_at=batch.expires_at,
        created_at=now,
        created_by=batch.created_by,
        batch=batch if batch.pk else None,
    )


def _label(batch: InvitationBatch, number: int) -> str:
    return batch.label.replace("{n}", str(number))


def _end(batch: InvitationBatch, action: str, moment: str, by: User | None, now: datetime) -> None:
    """Write the end, and how far the batch has come by then."""
    setattr(batch, moment, now)
    batch.save(update_fields=[moment, "cancelled_by", "stop_reason"])
    record_event(
        action=action,
        about=batch,
        by=by,
        now=now,
        before={moment: None},
        after={
            moment: moment_text(now),
            "done_count": batch.done_count,
            "refused_count": batch.refused_count,
            "stop_reason": batch.stop_reason,
        },
    )
