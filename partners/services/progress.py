"""How far people came by invitations, counted up to the number that pages show."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db.models import OuterRef, Q, QuerySet

from partners.models import Invitation, InvitationBatch
from partners.services.pages import COUNTED, Count, CountOf, counted

_REACHED = {
    "started": Q(attempts__isnull=False),
    "registered": Q(attempts__registered_at__isnull=False),
    "associated": Q(attempts__association__isnull=False),
    "refused": Q(attempts__refused_at__isnull=False),
}


@dataclass(frozen=True, slots=True)
class Progress:
    """The attempts of one invitation."""

    started: Count
    registered: Count
    refused: Count


def progress_of(invitations: Collection[Invitation]) -> Mapping[int, Progress]:
    """Return the progress of each invitation by its key; one statement for all of them."""
    rows = Invitation.objects.filter(pk__in=[invitation.pk for invitation in invitations])
    found = rows.order_by().values_list(
        "pk",
        *(_attempts(_REACHED[name]) for name in ("started", "registered", "refused")),
    )
    return {
        key: Progress(*(counted(number, COUNTED) for number in numbers)) for key, *numbers in found
    }


def progress_of_batch(batch: InvitationBatch) -> Mapping[str, Count]:
    """Return what the funnel counts of all invitations of the batch; one statement."""
    found = InvitationBatch.objects.values_list(
        *(
            CountOf(_of_batch(condition).values("attempts")[: COUNTED + 1])
            for condition in _REACHED.values()
        )
    ).get(pk=batch.pk)
    counts = (counted(number, COUNTED) for number in found)
    return dict(zip(_REACHED, counts, strict=True))


def _of_batch(condition: Q) -> QuerySet[Invitation]:
    return Invitation.objects.filter(condition, batch=OuterRef("pk")).order_by()


def _attempts(condition: Q) -> CountOf:
    attempts = Invitation.objects.filter(condition, pk=OuterRef("pk"))
    return CountOf(attempts.order_by().values("attempts")[: COUNTED + 1])
