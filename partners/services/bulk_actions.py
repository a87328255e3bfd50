"""Actions on many rows: chosen as a draft, started by its member, done row by row by any worker."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import User
from audit.services import acting_for, record_audit_event
from outbox.services.background import DATABASE_AWAY
from partners.enums import BatchState, BulkKind, BulkRefusal
from partners.models import BulkAction, BulkActionRow, InvitationBatch, PartnerMember
from partners.services.members import lock_member
from web.logs import Event
from web.moments import stored_moment
from web.refused import Refused
from web.transactions import whole_transaction

logger = logging.getLogger(__name__)
MOST_ROWS = 5_000
# So many rows are done while the member waits for the page.
FEW_ROWS = 100
SECONDS_AT_ONCE = 1.0
# Which actions that have ended a list still leads to.
RECENT, MOST_RECENT = timedelta(days=1), 5
# PostgreSQL: the limit of a statement, and that of waiting for a lock.
WAITED_TOO_LONG = frozenset({"57014", "55P03"})
# The freezes of the customers keep their reason.
FORGETS_REASON = frozenset({BulkKind.SET_BUDGET, BulkKind.FREEZE, BulkKind.UNFREEZE})


@dataclass(frozen=True, slots=True)
class RowTask:
    """What to do with one row: the key of the object, and the action's member, terms and reason.

    `chosen_at` is when the rows were chosen.
    """

    member: PartnerMember
    key: int
    terms: Mapping[str, Any]
    reason: str
    chosen_at: datetime
    now: datetime


# Does what a kind says to one row, or raises Refused.
Performers = Mapping[BulkKind, Callable[[RowTask], None]]


@whole_transaction
def choose_rows(
    *,
    member: PartnerMember,
    kind: BulkKind,
    keys: Sequence[int],
    batch: InvitationBatch | None = None,
    most: int = MOST_ROWS,
    now: datetime,
) -> BulkAction:
    """Store a draft with these rows, in this order; it replaces the member's others of the kind.

    Raises Refused: NOTHING_CHOSEN, TOO_MANY for more than `most` keys.
    """
    check_chosen(keys, most=most)
    action = BulkAction(
        partner=member.partner,
        kind=kind,
        batch=batch,
        size=len(keys),
        created_at=now,
        created_by=member.user,
    )
    rows = [
        BulkActionRow(action=action, number=number, object_id=key)
        for number, key in enumerate(keys, start=1)
    ]
    with transaction.atomic():
        _discard_drafts(member, kind, now)
        action.save(force_insert=True)
        BulkActionRow.objects.bulk_create(rows, batch_size=1_000)
    return action


def check_chosen(keys: Sequence[int], *, most: int = MOST_ROWS) -> None:
    """Raise Refused as `choose_rows()` does."""
    if not keys:
        raise Refused(BulkRefusal.NOTHING_CHOSEN)
    if len(keys) > most:
        raise Refused(BulkRefusal.TOO_MANY, most=f"{most:,}")


def _discard_drafts(member: PartnerMember, kind: BulkKind, now: datetime) -> None:
    """Cancel the member's drafts of the kind and delete their rows; the member is locked."""
    lock_member(member.pk)
    drafts = member.partner.bulk_actions.visible_to(member).drafts().filter(kind=kind)
    # One that is locked is being started or cancelled.
    discarded = list(drafts.select_for_update(skip_locked=True).order_by("pk"))
    for draft in discarded:
        cancel_bulk_action(action=draft, by=member.user, now=now)
    BulkActionRow.objects.filter(action__in=discarded).delete()


@whole_transaction
def start_bulk_action(
    *, action: BulkAction, terms: Mapping[str, Any], reason: str = "", by: User, now: datetime
) -> BulkAction:
    """Start the draft; the same start a second time does nothing.

    Raises Refused: CANCELLED, STARTED with other terms or another reason.
    """
    with transaction.atomic():
        locked = BulkAction.objects.select_for_update().get(pk=action.pk)
        if locked.cancelled_at is not None:
            raise Refused(BulkRefusal.CANCELLED)
        if locked.started_at is None:
            locked.terms, locked.reason, locked.started_at = dict(terms), reason, now
            locked.save(update_fields=["terms", "reason", "started_at"])
            record_audit_event(
                action="bulk_action.started",
                about=locked,
                by=by,
                now=now,
                before={"started_at": None},
                after={"kind": locked.kind, "size": locked.size, "started_at": stored_moment(now)},
            )
        elif locked.terms != terms or (_keeps_reason(locked) and locked.reason != reason):
            raise Refused(BulkRefusal.STARTED)
    return locked


@whole_transaction
def cancel_bulk_action(*, action: BulkAction, by: User | None, now: datetime) -> BulkAction:
    """Do no more rows unless it has ended already; what is done stays.

    That a draft was left is not recorded: it has changed nothing.
    """
    with transaction.atomic():
        locked = BulkAction.objects.select_for_update().get(pk=action.pk)
        was_running = locked.state == BatchState.RUNNING
        if was_running or locked.state == BatchState.DRAFT:
            # The clock was read before the lock.
            locked.cancelled_at = max(now, locked.started_at or now)
            _forget_reason(locked)
            locked.save(update_fields=["cancelled_at", "reason"])
        if was_running:
            record_audit_event(
                action="bulk_action.cancelled",
                about=locked,
                by=by,
                now=now,
                before={"cancelled_at": None},
                after={"cancelled_at": stored_moment(locked.cancelled_at)},
            )
    return locked


def do_few(*, action: BulkAction, performers: Performers) -> None:
    """Do a small action at once, as far as a second goes; the worker does the rest."""
    if action.size <= FEW_ROWS:
        do_rows(performers=performers, now=timezone.now(), action=action)


def do_rows(*, performers: Performers, now: datetime, action: BulkAction | None = None) -> int:
    """Do rows of running actions of these kinds, or of this one, for a second; return how many."""
    begun, done = monotonic(), 0
    while monotonic() - begun < SECONDS_AT_ONCE and _do_next_row(performers, now, action):
        done += 1
    return done


def visible_row(rows: QuerySet[Any], task: RowTask) -> Any:
    """Return the task's row, of those that the member may see now.

    Raises Refused: NOT_VISIBLE.
    """
    found = rows.filter(pk=task.key).first()
    if found is None:
        raise Refused(BulkRefusal.NOT_VISIBLE)
    return found


def recent_bulk_actions(
    member: PartnerMember,
    performers: Performers,
    *,
    batch: InvitationBatch | None = None,
    now: datetime,
) -> QuerySet[BulkAction]:
    """Return the actions of these kinds that run, then the member's own that ended within a day.

    The one that started, or ended, last is the first.
    """
    seen = member.partner.bulk_actions.visible_to(member).filter(kind__in=list(performers))
    if batch is not None:
        seen = seen.filter(batch=batch)
    # Only one of the two moments is ever set.
    seen = seen.annotate(ended_at=Coalesce("finished_at", "cancelled_at"))
    is_running = Q(ended_at__isnull=True)
    is_own_of_today = Q(created_by=member.user_id, ended_at__gt=now - RECENT)
    recent = seen.filter(is_running | is_own_of_today, started_at__isnull=False)
    return recent.order_by(F("ended_at").desc(nulls_first=True), "-started_at", "-pk")[:MOST_RECENT]


def has_running_bulk_actions(*, now: datetime) -> bool:
    """Return whether rows are still to be done, by whichever worker."""
    return BulkAction.objects.running().exists()


@whole_transaction
def _do_next_row(performers: Performers, now: datetime, only: BulkAction | None) -> bool:
    """Do one row and write its outcome, in one transaction: nothing is done twice.

    A transaction for each row, because services lock in an order that two rows would break.
    """
    with transaction.atomic():
        running = BulkAction.objects.running(list(performers))
        action = (running.filter(pk=only.pk) if only else running).lock_next()
        if action is None:
            return False
        row = action.rows.get(number=action.done_count + 1)
        row.outcome, row.again_at = _outcome_of(performers, action, row, now)
        row.save(update_fields=["outcome", "again_at"])
        action.done_count += 1
        action.refused_count += row.outcome != BulkActionRow.DONE
        if action.done_count == action.size:
            # The round may have begun before the action was started.
            action.finished_at = max(now, action.started_at or now)
            _forget_reason(action)
        action.save(update_fields=["done_count", "refused_count", "finished_at", "reason"])
    return True


def _outcome_of(
    performers: Performers, action: BulkAction, row: BulkActionRow, now: datetime
) -> tuple[str, datetime | None]:
    """Do the row, or nothing; return its outcome, and the moment from which it is possible again.

    An error of one row is logged and stops neither the others nor the actions behind this one; nor
    does one that waits too long for a lock.
    """
    try:
        _perform(performers[BulkKind(action.kind)], action, row.object_id, now)
    except Refused as refused:
        return refused.code.value, refused.again_at
    except Exception as error:
        if isinstance(error, DATABASE_AWAY) and not _has_waited_too_long(error):
            raise
        failed = Event(
            event="bulk_action.row_failed",
            action=action.pk,
            row=row.number,
            error=type(error).__name__,
        )
        logger.error(failed, exc_info=error)
        return BulkRefusal.FAILED.value, None
    return BulkActionRow.DONE, None


@whole_transaction
@transaction.atomic
def _perform(
    perform: Callable[[RowTask], None], action: BulkAction, key: int, now: datetime
) -> None:
    """Act for the member who started it, with the rights that the member has now.

    Who cannot log in any more has none.
    """
    member = action.partner.members.filter(user=action.created_by, user__is_active=True).first()
    if member is None:
        raise Refused(BulkRefusal.MEMBER_LEFT)
    member.partner, member.user = action.partner, action.created_by
    with acting_for(action.partner_id, member.user):
        perform(RowTask(member, key, action.terms, action.reason, action.created_at, now))


def _has_waited_too_long(error: Exception) -> bool:
    return getattr(error.__cause__, "sqlstate", None) in WAITED_TOO_LONG


def _keeps_reason(action: BulkAction) -> bool:
    return action.kind not in FORGETS_REASON or action.finished_at is None


def _forget_reason(action: BulkAction) -> None:
    if action.kind in FORGETS_REASON:
        action.reason = ""
