"""I10 for budgets, their alerts, and requests for a budget."""

from collections.abc import Iterator
from datetime import UTC

from django.db.models import F, Q
from django.db.models.functions import TruncDate

from association.models import Budget, BudgetAlert, BudgetPeriod, BudgetRequest
from association.services.budget_watch import THRESHOLDS
from association.services.invariants.violations import Violation, violations
from partners.enums import AssociationType


def budgets_fit_their_association() -> Iterator[Violation]:
    """I10: only resellers' customers have budgets; each alert is of a period of its budget."""
    yield from violations(
        "I10",
        Budget.objects.exclude(association__association_type=AssociationType.RESELLER),
        "is the budget of a referral customer",
    )
    yield from _alerts()
    yield from violations(
        "I10",
        BudgetRequest.objects.filter(asked_at__lt=F("association__associated_at")),
        "was asked before association {}",
        "association_id",
    )
    days = BudgetRequest.objects.annotate(day=TruncDate("asked_at", tzinfo=UTC))
    yield from violations(
        "I10", days.exclude(asked_on=F("day")), "was asked on another day than {}", "asked_on"
    )


def _alerts() -> Iterator[Violation]:
    """Check threshold and period. Refunds come later, so the used amount is not recomputed."""
    alerts = BudgetAlert.objects.all()
    yield from violations(
        "I10",
        alerts.exclude(threshold__in=THRESHOLDS),
        "has the unknown threshold of {} percent",
        "threshold",
    )
    of_another_period = (
        Q(period_start__gt=F("alerted_at"), budget__period=BudgetPeriod.MONTHLY)
        | Q(period_start__lt=F("budget__association__associated_at"))
        | (Q(budget__period=BudgetPeriod.ONE_TIME) & ~Q(period_start=F("budget__set_at")))
    )
    yield from violations(
        "I10",
        alerts.filter(of_another_period),
        "is of a period that budget {} does not have",
        "budget_id",
    )
