"""How far people came by invitations, counted up to the number that pages show."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db.models import Count as CountRows
from django.db.models import F, OuterRef, Q, QuerySet, Sum

from partners.models import Invitation, InvitationBatch
from partners.services.pages import COUNTED, Count, CountOf, counted


@dataclass(frozen=True, slots=True)
class Progress:
    """The attempts of one invitation, or of one batch."""

    started: Count
    registered: Count
    refused: Count


class SumOf(CountOf):
    """The sum of the one column that a sliced query has."""

    template = "(SELECT COALESCE(SUM(counted.used_count), 0) FROM (%(subquery)s) AS counted)"


REACHED = (
    Q(attempts__isnull=False),
    Q(attempts__registered_at__isnull=False),
    Q(attempts__refused_at__isnull=False),
)


def progress_of(invitations: Collection[Invitation]) -> Mapping[int, Progress]:
    """Return the progress of each invitation by its key; one statement for all of them."""
    rows = Invitation.objects.filter(pk__in=[invitation.pk for invitation in invitations])
    counts = [_attempts(reached, pk=OuterRef("pk")) for reached in REACHED]
    found = rows.order_by().values_list("pk", *counts)
    return {
        key: Progress(*(counted(number, COUNTED) for number in numbers)) for key, *numbers in found
    }


def progress_of_batch(batch: InvitationBatch) -> Progress:
    """Return the progress of all invitations of the batch; one statement."""
    counts = [_attempts(reached, batch=OuterRef("pk")) for reached in REACHED]
    numbers = InvitationBatch.objects.filter(pk=batch.pk).values_list(*counts).get()
    return Progress(*(counted(number, COUNTED) for number in numbers))


def joined_by_batches(batches: Collection[InvitationBatch]) -> Mapping[int, Count]:
    """Return how many customers joined by each batch, by its key; one statement for all."""
    used = Invitation.objects.filter(batch=OuterRef("pk"), used_count__gt=0)
    joined = SumOf(used.order_by().values("used_count")[: COUNTED + 1])
    rows = InvitationBatch.objects.filter(pk__in=[batch.pk for batch in batches])
    return {key: counted(number) for key, number in rows.order_by().values_list("pk", joined)}


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """How many batches there are, and how many invitations were made with them."""

    count: int
    made: int


def counts_of_batches(batches: QuerySet[InvitationBatch]) -> BatchCounts:
    """Count these batches, of which the caller knows that they are few; one statement."""
    made = Sum(F("done_count") - F("refused_count"), default=0)
    return BatchCounts(**batches.order_by().aggregate(count=CountRows("pk"), made=made))


def _attempts(reached: Q, **outer: OuterRef) -> CountOf:
    attempts = Invitation.objects.filter(reached, **outer)
    return CountOf(attempts.order_by().values("attempts")[: COUNTED + 1])
