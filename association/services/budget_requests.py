"""The customer asks the partner to set a budget, once a day."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from django.db import transaction
from django.db.models import OuterRef, Subquery

from accounts.enums import FreezeCause
from accounts.models import CustomerAccount, Freeze, User
from accounts.services.audit import record_event
from accounts.services.outbox import OutgoingMessage, enqueue_messages
from association.models import Association, BudgetRequest
from association.models.associations import AssociationQuerySet
from association.services.recipients import customer_recipients


class BudgetRequestProblem(StrEnum):
    """Why the partner cannot be asked for a budget."""

    ENDED = "ended"
    NOT_OWNER = "not_owner"
    NOT_RESELLER = "not_reseller"
    NOT_FROZEN = "not_frozen"


class BudgetRequestRefused(Exception):
    """There is nothing to ask for; nothing was written. `code` says why."""

    def __init__(self, code: BudgetRequestProblem) -> None:
        super().__init__(code.value)
        self.code = code


def with_last_request(rows: AssociationQuerySet) -> AssociationQuerySet:
    """Return the associations, each with `asked_at`: when its customer last asked for a budget."""
    asked = BudgetRequest.objects.filter(association=OuterRef("pk")).order_by("-asked_on")
    return rows.annotate(asked_at=Subquery(asked.values("asked_at")[:1]))


def waits_for_partner(association: Association, open_freezes: Iterable[Freeze]) -> bool:
    """Whether a budget of the partner can end what freezes the account.

    In reseller only, and not when the provider alone has frozen it.
    """
    causes = {freeze.cause for freeze in open_freezes}
    return association.is_reseller and bool(causes - {FreezeCause.ADMINISTRATOR})


def may_ask_again_at(asked_at: datetime) -> datetime:
    """Return when the day (UTC) on which was asked is over."""
    day = asked_at.astimezone(UTC).date()
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=UTC)


def ask_for_budget(*, association: Association, by: User, now: datetime) -> BudgetRequest:
    """Ask the partner to set a budget for the frozen account, as its owner; tells its people.

    Asking again on the same day (UTC) returns the first request and writes nothing. Raises
    BudgetRequestRefused.
    """
    with transaction.atomic():
        locked = _lock_waiting(association, by)
        day = now.astimezone(UTC).date()
        asked, is_new = locked.budget_requests.get_or_create(
            asked_on=day, defaults={"asked_at": now}
        )
        if is_new:
            record_event(
                action="budget_request.made",
                about=asked,
                by=by,
                now=now,
                after={"association": locked.pk, "asked_at": now},
            )
            _tell_partner(locked, asked, now)
        return asked


def _lock_waiting(association: Association, by: User) -> Association:
    """Lock the account and return the association as it is now, if it waits for the partner."""
    account = CustomerAccount.objects.select_for_update().get(pk=association.account_id)
    locked = Association.objects.get(pk=association.pk)
    if locked.ended_at is not None:
        raise BudgetRequestRefused(BudgetRequestProblem.ENDED)
    if account.owner_id != by.pk:
        raise BudgetRequestRefused(BudgetRequestProblem.NOT_OWNER)
    if not locked.is_reseller:
        raise BudgetRequestRefused(BudgetRequestProblem.NOT_RESELLER)
    if not waits_for_partner(locked, account.freezes.open()):
        raise BudgetRequestRefused(BudgetRequestProblem.NOT_FROZEN)
    return locked


def _tell_partner(association: Association, asked: BudgetRequest, now: datetime) -> None:
    """Promise a mail to each who hears of this customer."""
    enqueue_messages(
        messages=[
            OutgoingMessage("association.budget_requested", user.email, asked, user.language)
            for user in customer_recipients(association)
        ],
        now=now,
    )
