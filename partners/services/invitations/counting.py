"""How far people came by invitations, counted no further than the pages say."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import OuterRef, Q, QuerySet

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
        _up_to(Q()),
        _up_to(Q(registered_at__isnull=False)),
        _up_to(Q(refused_at__isnull=False)),
    )
    return {
        key: Progress(*(counted(number, COUNTED) for number in numbers)) for key, *numbers in found
    }


def _up_to(condition: Q) -> CountOf:
    attempts: QuerySet[Any] = apps.get_model("association", "Attempt")._default_manager.all()
    of_one = attempts.filter(condition, invitation=OuterRef("pk"))
    return CountOf(of_one.order_by().values("pk")[: COUNTED + 1])
