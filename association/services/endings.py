"""Ending an association: one side asks, the other answers; the provider may end it at any time.

Every action locks the account first, so that of two at once the second sees what the first did.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q

from accounts.enums import FreezeCause
from accounts.models import User
from accounts.services.freezes import close_freezes, freezes_of
from association.enums import AssociationRefusal, EndAnswer, Side
from association.models import Association, EndRequest
from association.services.authorizations import revoke_open_authorization
from association.services.customer_status import end_status
from association.services.customers import ALL_BUT_ADMINISTRATOR, end_budget, lock_customers
from association.services.end_obstacles import find_obstacles
from association.services.events import (
    build_unfrozen_events,
    publish_customer_event,
    publish_end_request,
)
from association.services.moments import moment_after, possible_again_at
from association.services.recipients import email_customer, email_customers, email_partner
from audit.services import record_audit_event
from outbox.services.events import publish_many
from partners.enums import EventKind
from web.refused import Refused
from web.transactions import whole_transaction

# Of one side. Each of them, and each withdrawal, is an e-mail to the other side.
MOST_REQUESTS_A_DAY = 5
# Why the freezes were lifted. The request's reason may be the other side's words.
_THE_ASSOCIATION_ENDED = "The association ended."


@dataclass(frozen=True, slots=True)
class Ending:
    """How an association ended: which side asked and which agreed, or the provider alone."""

    asked_by: Side | None
    decided_by: Side


def find_ending(association: Association) -> Ending:
    """Return who ended an association that has ended."""
    end_request = association.end_requests.filter(answer=EndAnswer.AGREED).first()
    if end_request is None:
        return Ending(None, Side.PROVIDER)
    return Ending(Side(end_request.asking_side), Side(end_request.answering_side))


@dataclass(frozen=True, slots=True)
class FrozenState:
    """Whether an account is free because its association ended, or stays frozen all the same."""

    was_unfrozen: bool
    stays_frozen: bool


def freezes_after(association: Association) -> FrozenState:
    """Return what the end of an association meant for the freezes of its account; one statement.

    Only the provider's freezes outlast an association.
    """
    rows = list(
        association.account.freezes.filter(
            Q(unfrozen_at__isnull=True) | Q(unfrozen_at=association.ended_at)
        )
    )
    still_open = [row for row in rows if row.is_open]
    return FrozenState(
        was_unfrozen=bool(rows) and not still_open,
        stays_frozen=any(row.cause == FreezeCause.ADMINISTRATOR for row in still_open),
    )


def past_associations(owner_id: int) -> list[Association]:
    """Return the associations of this user's account that have ended, the latest first."""
    rows = Association.objects.filter(account__owner=owner_id, ended_at__isnull=False)
    return list(rows.select_related("partner", "account__owner").order_by("-ended_at", "-pk"))


@whole_transaction
def ask_to_end(
    *, association: Association, side: Side, reason: str, by: User, now: datetime
) -> EndRequest:
    """Ask the other side to end the association, as its customer or its partner.

    The other side is told by e-mail. Locks the account. Raises Refused: ENDED, NOT_OWNER,
    END_REQUEST_OPEN, END_ASKED_TOO_OFTEN, END_OBSTRUCTED.
    """
    with transaction.atomic():
        locked = _lock(association, side, by)
        now = moment_after([locked], now)
        if locked.end_requests.open().exists():
            raise Refused(AssociationRefusal.END_REQUEST_OPEN, association=locked)
        own = locked.end_requests.filter(asking_side=side).values_list("asked_at", flat=True)
        again_at = possible_again_at(own, most=MOST_REQUESTS_A_DAY, now=now)
        if again_at is not None:
            code = AssociationRefusal.END_ASKED_TOO_OFTEN
            raise Refused(code, association=locked, again_at=again_at)
        _check_obstacles(locked, now)
        end_request = locked.end_requests.create(
            asking_side=side,
            reason=reason,
            asked_at=now,
            asked_by=by,
        )
        record_audit_event(
            action="end_request.made",
            about=end_request,
            by=by,
            now=now,
            after={
                "association": locked.pk,
                "asking_side": side,
                "reason": reason,
                "asked_at": now,
                "answer": "",
            },
        )
        publish_end_request(end_request=end_request, association=locked, now=now)
        _email_side(_other(side), "end_requested", end_request, locked, now)
        return end_request


@whole_transaction
def answer_end_request(
    *, end_request: EndRequest, side: Side, agree: bool, reason: str, by: User, now: datetime
) -> EndRequest:
    """Agree, which ends the association, or decline as the side that was asked.

    The provider may answer for that side from `answer_is_due_at()` on. Both sides are told when it
    ends and when the provider declines, else the asking side is told. Locks the account. Raises
    Refused: ENDED, NOT_OWNER, WRONG_SIDE, END_REQUEST_NOT_DUE, END_REQUEST_ANSWERED,
    END_OBSTRUCTED.
    """
    answer = EndAnswer.AGREED if agree else EndAnswer.DECLINED
    with transaction.atomic():
        locked = _lock(end_request.association, side, by)
        now = moment_after([locked], now)
        open_request = _find_open(locked, end_request)
        if open_request.asking_side == side:
            raise Refused(AssociationRefusal.WRONG_SIDE, association=locked)
        if side == Side.PROVIDER and now < answer_is_due_at(open_request):
            raise Refused(AssociationRefusal.END_REQUEST_NOT_DUE, association=locked)
        if agree and side != Side.PROVIDER:
            _check_obstacles(locked, now)
        _write_answer(open_request, answer, side, reason, by=by, now=now)
        if agree:
            _end(locked, open_request.reason, by=by, now=now)
        else:
            readers = [Side(open_request.asking_side)]
            if side == Side.PROVIDER:
                readers.append(_other(readers[0]))
            for reader in readers:
                _email_side(reader, "end_declined", open_request, locked, now)
        return open_request


@whole_transaction
def withdraw_end_request(
    *, end_request: EndRequest, side: Side, by: User, now: datetime
) -> EndRequest:
    """Take back the own side's request; the other side is told.

    Locks the account. Raises Refused: ENDED, NOT_OWNER, WRONG_SIDE, END_REQUEST_ANSWERED.
    """
    with transaction.atomic():
        locked = _lock(end_request.association, side, by)
        now = moment_after([locked], now)
        open_request = _find_open(locked, end_request)
        if open_request.asking_side != side:
            raise Refused(AssociationRefusal.WRONG_SIDE, association=locked)
        _write_answer(open_request, EndAnswer.WITHDRAWN, side, "", by=by, now=now)
        _email_side(_other(side), "end_withdrawn", open_request, locked, now)
        return open_request


@whole_transaction
def end_association(
    *, association: Association, reason: str, by: User, now: datetime
) -> Association:
    """End an association as the provider, despite all obstacles; both sides are told.

    An open request is closed. Locks the account. Raises Refused: ENDED.
    """
    with transaction.atomic():
        [locked] = lock_customers([association])
        now = moment_after([locked], now)
        end_request = locked.end_requests.open().first()
        if end_request is not None:
            _write_answer(end_request, EndAnswer.CLOSED, Side.PROVIDER, reason, by=by, now=now)
        _end(locked, reason, by=by, now=now)
        return locked


def count_end_requests(*, now: datetime) -> dict[str, int]:
    """Count the requests without an answer: `open` ones, and `due` ones that the provider answers.

    One statement, on the index of open requests.
    """
    due = Q(asked_at__lte=now - timedelta(days=settings.END_REQUEST_DAYS))
    return EndRequest.objects.open().aggregate(open=Count("pk"), due=Count("pk", filter=due))


def answer_is_due_at(end_request: EndRequest) -> datetime:
    """Return the moment from which the provider may answer."""
    return end_request.asked_at + timedelta(days=settings.END_REQUEST_DAYS)


def _lock(association: Association, side: Side, by: User) -> Association:
    [locked] = lock_customers([association])
    if side == Side.CUSTOMER and locked.account.owner_id != by.pk:
        raise Refused(AssociationRefusal.NOT_OWNER, association=locked)
    return locked


def _find_open(locked: Association, shown: EndRequest) -> EndRequest:
    """Return the request that the page showed, as it is now; the association is locked."""
    end_request = locked.end_requests.get(pk=shown.pk)
    if not end_request.is_open:
        raise Refused(AssociationRefusal.END_REQUEST_ANSWERED, association=locked)
    return end_request


def _check_obstacles(locked: Association, now: datetime) -> None:
    obstacles = find_obstacles(account=locked.account, now=now)
    if obstacles:
        raise Refused(
            AssociationRefusal.END_OBSTRUCTED,
            association=locked,
            reasons=[obstacle.code for obstacle in obstacles],
            obstacles=obstacles,
        )


def _write_answer(
    end_request: EndRequest, answer: EndAnswer, side: Side, reason: str, *, by: User, now: datetime
) -> None:
    end_request.answer, end_request.answering_side, end_request.answer_reason = answer, side, reason
    end_request.answered_at, end_request.answered_by = now, by
    changed = ["answer", "answering_side", "answer_reason", "answered_at", "answered_by"]
    end_request.save(update_fields=changed)
    record_audit_event(
        action=f"end_request.{answer}",
        about=end_request,
        by=by,
        now=now,
        before={"answer": ""},
        after={
            "answer": answer,
            "answering_side": side,
            "answer_reason": reason,
            "answered_at": now,
        },
    )
    publish_end_request(end_request=end_request, association=end_request.association, now=now)


def _end(locked: Association, reason: str, *, by: User, now: datetime) -> None:
    """End the association and what depends on it, and tell both sides."""
    locked.ended_at, locked.ended_by, locked.end_reason = now, by, reason
    locked.save(update_fields=["ended_at", "ended_by", "end_reason", *end_status(locked)])
    record_audit_event(
        action="association.ended",
        about=locked,
        by=by,
        now=now,
        before={"ended_at": None},
        after={"ended_at": now, "end_reason": reason},
    )
    publish_customer_event(
        kind=EventKind.ASSOCIATION_ENDED, about=locked, association=locked, now=now
    )
    end_budget(association=locked, by=by, now=now)
    revoke_open_authorization(association=locked, reason=reason, by=by, now=now)
    closed, still_open = close_freezes(
        freezes=freezes_of([locked.account_id]),
        causes=ALL_BUT_ADMINISTRATOR,
        reason=_THE_ASSOCIATION_ENDED,
        by=by,
        now=now,
    )
    unfrozen = build_unfrozen_events(closed, still_open, [(locked.account, locked)])
    publish_many(events=unfrozen, now=now)
    email_customers("association.ended", [locked], now=now)
    email_partner("association.customer_ended", locked, locked, now=now)


def _other(side: Side) -> Side:
    return Side.PARTNER if side == Side.CUSTOMER else Side.CUSTOMER


def _email_side(
    side: Side, what: str, end_request: EndRequest, association: Association, now: datetime
) -> None:
    if side == Side.CUSTOMER:
        email_customer(f"association.{what}", end_request, association, now=now)
    else:
        email_partner(f"association.customer_{what}", end_request, association, now=now)
