"""The customer's request for a budget, once a day."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta

from django.db import transaction
from django.db.models import OuterRef, Subquery

from accounts.enums import FreezeCause
from accounts.models import Freeze, User
from association.enums import AssociationRefusal
from association.models import Association, BudgetRequest
from association.models.associations import AssociationQuerySet
from association.services.customers import lock_own_customer
from association.services.recipients import email_partner
from audit.services import record_audit_event
from web.refused import Refused
from web.transactions import whole_transaction


def with_last_request(rows: AssociationQuerySet) -> AssociationQuerySet:
    """Return the associations, each with `asked_at`: when its customer last asked for a budget."""
    asked = BudgetRequest.objects.filter(association=OuterRef("pk")).order_by("-asked_on")
    return rows.annotate(asked_at=Subquery(asked.values("asked_at")[:1]))


def waits_for_partner(association: Association, open_freezes: Iterable[Freeze]) -> bool:
    """Whether a budget can end a freeze: with a reseller, and not one of the provider's."""
    causes = {freeze.cause for freeze in open_freezes}
    return association.is_reseller and bool(causes - {FreezeCause.ADMINISTRATOR})


def may_ask_again_at(asked_at: datetime) -> datetime:
    """Return the end of the day (UTC) of the last request."""
    day = asked_at.astimezone(UTC).date()
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=UTC)


@whole_transaction
def ask_for_budget(*, association: Association, by: User, now: datetime) -> BudgetRequest:
    """Ask the partner, as the owner of the frozen account, to set a budget; e-mails its members.

    The second request of a day (UTC) returns the first and writes nothing. Locks the account.
    Raises Refused: ENDED, NOT_OWNER, NOT_RESELLER, NOT_FROZEN.
    """
    day = now.astimezone(UTC).date()
    with transaction.atomic():
        locked = lock_own_customer(association, by)
        if not locked.is_reseller:
            raise Refused(AssociationRefusal.NOT_RESELLER, association=locked)
        if not waits_for_partner(locked, locked.account.freezes.open()):
            raise Refused(AssociationRefusal.NOT_FROZEN, association=locked)
        first = locked.budget_requests.filter(asked_on=day).first()
        if first is not None:
            return first
        budget_request = locked.budget_requests.create(asked_on=day, asked_at=now)
        record_audit_event(
            action="budget_request.made",
            about=budget_request,
            by=by,
            now=now,
            after={"association": locked.pk, "asked_at": now},
        )
        email_partner("association.budget_requested", budget_request, locked, now=now)
        return budget_request
