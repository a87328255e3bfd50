"""When something was last done to a customer: what waited for its lock is dated after that."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.models import Freeze
from association.models import Association, Authorization, Budget, BudgetRequest, EndRequest

_DAY = timedelta(days=1)


def _last_of(rows: QuerySet[Any], owner: str, outer: str, *moments: Any) -> Subquery:
    """Return the last of the rows' moments; of each row counts the first that is not null."""
    own = rows.filter(**{owner: OuterRef(outer)}).order_by().values(owner)
    moment = Coalesce(*moments) if len(moments) > 1 else moments[0]
    return Subquery(own.annotate(last=Max(moment)).values("last"))


# For `Association`; the later moment of a row comes first.
LAST_MOMENTS = {
    "last_freeze_at": _last_of(
        Freeze.objects.all(), "account", "account", "unfrozen_at", "frozen_at"
    ),
    "last_budget_at": _last_of(Budget.objects.all(), "association", "pk", "set_at"),
    "last_ask_at": _last_of(BudgetRequest.objects.all(), "association", "pk", "asked_at"),
    "last_authorization_at": _last_of(
        Authorization.objects.all(),
        *("association", "pk"),
        *("revoked_at", "declined_at", "granted_at", "requested_at"),
    ),
    "last_end_request_at": _last_of(
        EndRequest.objects.all(), "association", "pk", "answered_at", "asked_at"
    ),
}


def last_moment_of(customer: Association) -> datetime:
    """Return the last moment of an association that was read with LAST_MOMENTS."""
    moments: list[datetime | None] = [getattr(customer, name) for name in LAST_MOMENTS]
    moments.append(customer.ended_at)
    return max([customer.associated_at, *(moment for moment in moments if moment is not None)])


def moment_after(customers: Iterable[Association], now: datetime) -> datetime:
    """Return `now`, or if that is later the moment of what was last done to one of the customers.

    They come from `lock_customers()`. An action that read the clock and then waited for the lock is
    dated after what it waited for: it decides and writes with this moment alone.
    """
    return max([now, *(customer.last_moment for customer in customers)])


def possible_again_at(moments: Iterable[datetime], *, most: int, now: datetime) -> datetime | None:
    """Return from when one more is possible of what is done `most` times a day, or None for now."""
    of_day = sorted(moment for moment in moments if moment > now - _DAY)
    return of_day[-most] + _DAY if len(of_day) >= most else None
