"""What has happened to one customer, as far as its partner may know it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts.models import Freeze
from association.models import (
    Association,
    Attempt,
    Authorization,
    Budget,
    BudgetRequest,
    Consent,
    EndRequest,
)
from audit.models import AuditEvent

# How many rows of each kind a record has.
SHOWN = 50
# What no row but the audit trail tells.
RECORDED_ONLY = (
    "association.renamed",
    "association.manager_changed",
    "association.address_revealed",
    "freeze.widened",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRecord:
    """The attempt with its invitation, and the newest rows of each kind, newest first."""

    attempt: Attempt
    consents: Sequence[Consent]
    freezes: Sequence[Freeze]
    budgets: Sequence[Budget]
    budget_requests: Sequence[BudgetRequest]
    authorizations: Sequence[Authorization]
    end_requests: Sequence[EndRequest]
    actions: Sequence[AuditEvent]

    @property
    def is_cut(self) -> bool:
        """Whether a kind may have older rows."""
        kinds = (self.freezes, self.budgets, self.budget_requests, self.actions)
        return any(len(rows) == SHOWN for rows in kinds)


def customer_record(association: Association) -> CustomerRecord:
    """Return what happened during the association, and how it came about; eight statements.

    Freezes from before the association are left out, unless they are still open, and so is
    everything from after its end.
    """
    freezes = list(_freezes(association).order_by("-frozen_at", "-pk")[:SHOWN])
    consents = Consent.objects.filter(
        Q(attempt=association.attempt_id) | Q(authorization__association=association)
    )
    budgets = association.budgets.select_related("set_by")
    requests = association.budget_requests.order_by("-asked_at", "-pk")
    authorizations = association.authorizations.select_related("requested_by")
    end_requests = association.end_requests.select_related("asked_by", "answered_by")
    actions = _actions(association, freezes)
    return CustomerRecord(
        attempt=Attempt.objects.select_related("invitation").get(pk=association.attempt_id),
        consents=list(consents.select_related("document").order_by("-agreed_at", "-pk")[:SHOWN]),
        freezes=freezes,
        budgets=list(budgets.order_by("-set_at", "-pk")[:SHOWN]),
        budget_requests=list(requests[:SHOWN]),
        authorizations=list(authorizations.order_by("-pk")[:SHOWN]),
        end_requests=list(end_requests.order_by("-asked_at", "-pk")[:SHOWN]),
        actions=list(actions.order_by("-occurred_at", "-pk")[:SHOWN]),
    )


def _freezes(association: Association) -> QuerySet[Freeze]:
    freezes = association.account.freezes.filter(
        Q(frozen_at__gte=association.associated_at) | Q(unfrozen_at__isnull=True)
    ).select_related("frozen_by", "unfrozen_by")
    if association.has_ended:
        return freezes.filter(frozen_at__lte=association.ended_at)
    return freezes


def _actions(association: Association, freezes: Sequence[Freeze]) -> QuerySet[AuditEvent]:
    about = Q(object_label=Association._meta.label_lower, object_id=str(association.pk))
    if freezes:
        keys = [str(freeze.pk) for freeze in freezes]
        about |= Q(object_label=Freeze._meta.label_lower, object_id__in=keys)
    events = AuditEvent.objects.filter(
        about, action__in=RECORDED_ONLY, occurred_at__gte=association.associated_at
    ).select_related("actor")
    if association.has_ended:
        return events.filter(occurred_at__lte=association.ended_at)
    return events
