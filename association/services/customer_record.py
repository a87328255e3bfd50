"""What a partner may see of one customer's past: freezes, budgets, authorizations, actions."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import Freeze
from association.models import Association, Authorization, Budget
from audit.models import AuditEvent

SHOWN = 50


@dataclass(frozen=True, slots=True)
class CustomerRecord:
    """The newest rows of each kind, newest first; the open freezes among them."""

    freezes: list[Freeze]
    budgets: list[Budget]
    authorizations: list[Authorization]
    actions: list[AuditEvent]


def customer_record(association: Association) -> CustomerRecord:
    """Return what happened to the customer with this partner; four statements.

    Freezes from before the association are left out, unless they are still open.
    """
    freezes = list(
        association.account.freezes.filter(
            Q(frozen_at__gte=association.associated_at) | Q(unfrozen_at__isnull=True)
        )
        .select_related("frozen_by", "unfrozen_by")
        .order_by("-frozen_at", "-pk")[:SHOWN]
    )
    budgets = list(association.budgets.select_related("set_by").order_by("-set_at", "-pk")[:SHOWN])
    authorizations = list(
        association.authorizations.select_related("requested_by", "consent__document").order_by(
            "-pk"
        )[:SHOWN]
    )
    actions = _actions(association, freezes, budgets, authorizations)[:SHOWN]
    return CustomerRecord(freezes, budgets, authorizations, list(actions))


def _actions(
    association: Association,
    freezes: list[Freeze],
    budgets: list[Budget],
    authorizations: list[Authorization],
) -> "QuerySet[AuditEvent]":
    """Return the actions of people on these rows; the customer's own are the customer's."""
    about = Q(object_label=_label(association), object_id=str(association.pk))
    for model, keys in (
        (Freeze, [row.pk for row in freezes]),
        (Budget, [row.pk for row in budgets]),
        (Authorization, [row.pk for row in authorizations]),
    ):
        if keys:
            about |= Q(object_label=_label(model), object_id__in=[str(key) for key in keys])
    events: QuerySet[Any] = AuditEvent.objects.filter(
        about, occurred_at__gte=association.associated_at, actor__isnull=False
    )
    return (
        events.exclude(actor=association.account.owner_id)
        .select_related("actor")
        .order_by("-occurred_at", "-pk")
    )


def _label(model: Any) -> str:
    return str(model._meta.label_lower)
