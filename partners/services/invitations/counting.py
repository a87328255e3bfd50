"""How far people came by invitations, counted no further than the pages say."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import IntegerField, OuterRef, Q, QuerySet, Subquery

from partners.models import Invitation
from partners.services.pages import COUNTED, Count


@dataclass(frozen=True, slots=True)
class Progress:
    """The attempts of one invitation."""

    started: Count
    registered: Count
    refused: Count


class _CountUpTo(Subquery):
    """The number of rows of a subquery that is cut off after one more than is said."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


def progress_of(invitations: Collection[Invitation]) -> Mapping[int, Progress]:
    """Return the progress of each invitation by its key; one statement for all of them."""
    rows = Invitation.objects.filter(pk__in=[invitation.pk for invitation in invitations])
    counted = rows.order_by().values_list(
        "pk",
        _up_to(Q()),
        _up_to(Q(registered_at__isnull=False)),
        _up_to(Q(refused_at__isnull=False)),
    )
    return {
        key: Progress(_count(started), _count(registered), _count(refused))
        for key, started, registered, refused in counted
    }


def _up_to(condition: Q) -> Subquery:
    attempts: QuerySet[Any] = apps.get_model("association", "Attempt")._default_manager.all()
    of_one = attempts.filter(condition, invitation=OuterRef("pk"))
    return _CountUpTo(of_one.order_by().values("pk")[: COUNTED + 1])


def _count(found: int) -> Count:
    return Count(min(found, COUNTED), found > COUNTED)
