"""What a frozen customer asks the partner: to set or raise a budget, or to unfreeze; once a day."""

from datetime import UTC, datetime, time, timedelta

from django.db import transaction
from django.db.models import OuterRef, Subquery

from accounts.models import User
from association.enums import AssociationRefusal, FrozenAction
from association.models import Association, BudgetRequest
from association.models.associations import AssociationQuerySet
from association.services.customers import lock_own_customer
from association.services.events import publish_customer_event
from association.services.freeze_advice import find_advice, first_ask
from association.services.moments import moment_after
from association.services.recipients import email_partner
from audit.services import record_audit_event
from partners.enums import EventKind
from web.refused import Refused
from web.transactions import whole_transaction


def with_last_request(rows: AssociationQuerySet) -> AssociationQuerySet:
    """Return the associations, each with `asked_at` and `asked_for` of its customer's last ask."""
    requests = BudgetRequest.objects.filter(association=OuterRef("pk")).order_by("-asked_at")
    return rows.annotate(
        asked_at=Subquery(requests.values("asked_at")[:1]),
        asked_for=Subquery(requests.values("asked_for")[:1]),
    )


def may_ask_again_at(asked_at: datetime) -> datetime:
    """Return the end of the day (UTC) of the last request."""
    day = asked_at.astimezone(UTC).date()
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=UTC)


@whole_transaction
def ask_partner(
    *, association: Association, shown: str | None = None, by: User, now: datetime
) -> BudgetRequest:
    """Ask the partner for what lifts the first of the open freezes; e-mails its members.

    Only the owner of the account asks. `shown` is the member of `ASKS` that the page offered. A
    second request for the same on one day (UTC) returns the first and writes nothing. Locks the
    account. Raises Refused: ENDED, NOT_OWNER, NOT_RESELLER, NOT_FROZEN, ASKING_DOES_NOT_HELP,
    OTHER_ASK.
    """
    with transaction.atomic():
        locked = lock_own_customer(association, by)
        now = moment_after([locked], now)
        day = now.astimezone(UTC).date()
        ask = _check_ask(locked, shown, now)
        first = locked.budget_requests.filter(asked_on=day, asked_for=ask).first()
        if first is not None:
            return first
        budget_request = locked.budget_requests.create(asked_for=ask, asked_on=day, asked_at=now)
        record_audit_event(
            action="budget_request.made",
            about=budget_request,
            by=by,
            now=now,
            after={"association": locked.pk, "asked_for": ask, "asked_at": now},
        )
        kind = EventKind.BUDGET_REQUEST_CREATED
        publish_customer_event(
            kind=kind, about=budget_request, association=locked, now=now, asked_for=ask.value
        )
        email_partner("association.budget_requested", budget_request, locked, now=now)
        return budget_request


def _check_ask(locked: Association, shown: str | None, now: datetime) -> FrozenAction:
    if not locked.is_reseller:
        raise Refused(AssociationRefusal.NOT_RESELLER, association=locked)
    rows = find_advice(locked.account, locked, now=now)
    if not rows:
        raise Refused(AssociationRefusal.NOT_FROZEN, association=locked)
    ask = first_ask(rows)
    if ask is None:
        raise Refused(AssociationRefusal.ASKING_DOES_NOT_HELP, association=locked)
    if shown is not None and shown != ask:
        raise Refused(AssociationRefusal.OTHER_ASK, association=locked)
    return ask
