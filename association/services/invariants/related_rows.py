"""I10: related rows belong together, and budgets and their alerts fit the association."""

from collections.abc import Iterator
from datetime import UTC
from typing import Any

from django.db.models import F, OuterRef, Q
from django.db.models.functions import TruncDate

from association.models import (
    Association,
    Attempt,
    Authorization,
    Budget,
    BudgetAlert,
    BudgetPeriod,
    BudgetRequest,
    PartnerMessage,
)
from association.services.budget_watch import THRESHOLDS
from association.services.invariants.violations import Violation, count_of, violations
from partners.enums import AssociationType
from partners.models import BatchRow, Invitation, InvitationBatch, InvitationRequest


def related_rows_agree() -> Iterator[Violation]:
    """I10: related rows belong to one partner, one account and one invitation; budgets fit."""
    for rows, detail, *columns in [*_of_associations(), *_of_invitations(), *_of_budgets()]:
        yield from violations("I10", rows, detail, *columns)


def _of_associations() -> list[tuple[Any, ...]]:
    """Return the wrong rows, what is wrong, and the columns that the sentence names."""
    associations = Association.objects
    granted = Authorization.objects.filter(consent__isnull=False)
    same_inviter = Q(invited_by=F("invitation__created_by")) | Q(
        invited_by__isnull=True, invitation__created_by__isnull=True
    )
    return [
        (
            associations.exclude(partner=F("invitation__partner")),
            "its partner is not that of its invitation",
        ),
        (
            associations.filter(manager__isnull=False).exclude(partner=F("manager__partner")),
            "its manager belongs to another partner",
        ),
        (
            associations.exclude(
                attempt__invitation=F("invitation"), attempt__account=F("account")
            ),
            "its attempt is of another invitation or account",
        ),
        (
            Attempt.objects.exclude(same_inviter, partner=F("invitation__partner")),
            "its partner, or who invited, is not that of its invitation",
        ),
        (
            PartnerMessage.objects.exclude(
                attempt__account=F("account"), partner=F("attempt__partner")
            ),
            "its attempt is of another account or partner",
        ),
        (
            granted.exclude(consent__account=F("association__account")),
            "its consent was given by another account",
        ),
    ]


def _of_invitations() -> list[tuple[Any, ...]]:
    made = count_of(Invitation.objects.filter(batch=OuterRef("pk")))
    batches = InvitationBatch.objects.annotate(made=made)
    rows_with_invitation = BatchRow.objects.filter(invitation__isnull=False)
    requests = InvitationRequest.objects
    answered = requests.filter(sent_invitation__isnull=False)
    return [
        (
            Invitation.objects.filter(batch__isnull=False).exclude(partner=F("batch__partner")),
            "its partner is not that of its batch",
        ),
        (
            batches.exclude(done_count=F("made") + F("refused_count")),
            "has done {}, {} invitations belong to it",
            "done_count",
            "made",
        ),
        (
            rows_with_invitation.exclude(invitation__batch=F("batch")),
            "its invitation is not of its batch",
        ),
        (
            requests.exclude(partner=F("invitation__partner")),
            "its partner is not that of the invitation that was followed",
        ),
        (
            answered.exclude(partner=F("sent_invitation__partner")),
            "its partner is not that of the invitation that was sent",
        ),
    ]


def _of_budgets() -> list[tuple[Any, ...]]:
    # The used amount of an alert is not recomputed: refunds come later.
    alerts = BudgetAlert.objects
    of_another_period = (
        Q(period_start__gt=F("alerted_at"), budget__period=BudgetPeriod.MONTHLY)
        | Q(period_start__lt=F("budget__association__associated_at"))
        | (Q(budget__period=BudgetPeriod.ONE_TIME) & ~Q(period_start=F("budget__set_at")))
    )
    days = BudgetRequest.objects.annotate(day=TruncDate("asked_at", tzinfo=UTC))
    return [
        (
            Budget.objects.exclude(association__association_type=AssociationType.RESELLER),
            "is the budget of a referral customer",
        ),
        (
            alerts.exclude(threshold__in=THRESHOLDS),
            "has the unknown threshold of {} percent",
            "threshold",
        ),
        (
            alerts.filter(of_another_period),
            "is of a period that budget {} does not have",
            "budget_id",
        ),
        (
            BudgetRequest.objects.filter(asked_at__lt=F("association__associated_at")),
            "was asked before association {}",
            "association_id",
        ),
        (days.exclude(asked_on=F("day")), "was asked on another day than {}", "asked_on"),
    ]
