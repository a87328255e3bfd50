"""How far people came by invitations, counted up to the number that pages show."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db.models import OuterRef, Q

from partners.models import Invitation
from partners.services.pages import COUNTED, Count, CountOf, counted


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
        _attempts(Q(attempts__isnull=False)),
        _attempts(Q(attempts__registered_at__isnull=False)),
        _attempts(Q(attempts__refused_at__isnull=False)),
    )
    return {
        key: Progress(*(counted(number, COUNTED) for number in numbers)) for key, *numbers in found
    }


def _attempts(condition: Q) -> CountOf:
    attempts = Invitation.objects.filter(condition, pk=OuterRef("pk"))
    return CountOf(attempts.order_by().values("attempts")[: COUNTED + 1])
