"""I14 and I15: what the console filters attempts and customers by is what other rows say."""

from collections.abc import Iterator

from django.db.models import F, Q

from association.models import Association, Attempt
from association.services.customer_status import DERIVED
from association.services.invariants.violations import Violation, violations


def attempts_repeat_invitations() -> Iterator[Violation]:
    """I14: channel and type of an attempt are those of its invitation."""
    same = Q(channel=F("invitation__channel"), association_type=F("invitation__association_type"))
    detail = "its channel or type is not that of invitation {}"
    yield from violations("I14", Attempt.objects.exclude(same), detail, "invitation_id")


def attempts_repeat_associations() -> Iterator[Violation]:
    """I14: an attempt says when its association was made, and nothing without one."""
    same = Q(associated_at=F("association__associated_at")) | Q(
        associated_at__isnull=True, association__isnull=True
    )
    detail = "the moment of its association is not {}"
    rows = Attempt.objects.exclude(same)
    yield from violations("I14", rows, detail, "association__associated_at")


def status_is_derived() -> Iterator[Violation]:
    """I15: the status of a customer is what its end, its budget and the open freezes say."""
    rows = Association.objects.annotate(
        **{f"derived_{column}": rule for column, rule in DERIVED.items()}
    )
    same = Q(**{column: F(f"derived_{column}") for column in DERIVED})
    detail = "its status is {}, its rows say {}"
    yield from violations("I15", rows.exclude(same), detail, "status", "derived_status")
