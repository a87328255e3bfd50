"""The feed of events: what happened, in the order in which it became known."""

from datetime import datetime
from typing import Any, Self

from django.http import HttpResponse
from ninja import Query, Router
from pydantic import Field

from integration.api.answers import LARGEST_PAGE, Listed, answer_listed
from integration.api.callers import ApiRequest
from integration.api.fields import Input, Output
from integration.api.gate import needs
from integration.api.problems import Problem
from integration.enums import CallProblem, Scope
from outbox.models import Event
from outbox.models.events import EventQuerySet
from partners.enums import EventKind

router = Router(tags=["Events"])


class EventFilters(Input):
    """From where on, and of which kind."""

    after: str = Field("", max_length=18, description="The `id` of the last event you have read.")
    limit: int = Field(LARGEST_PAGE, ge=1, le=LARGEST_PAGE, description="How many rows at most.")
    type: EventKind | None = None


class EventShown(Output):
    """Something that happened. Read the object itself for what is true now."""

    id: str
    type: str = Field(
        description="Kinds are added: pass over one that you do not know. The filter lists them."
    )
    timestamp: datetime = Field(description="When it happened.")
    data: dict[str, Any] = Field(
        description="Ids, codes, your `reference`, and the `metadata` of the invitation."
    )

    @classmethod
    def of(cls, row: Event) -> Self:
        return cls(**cls.values_of(row))

    @staticmethod
    def values_of(row: Event) -> dict[str, Any]:
        return {
            "id": str(row.pk),
            "type": row.kind,
            "timestamp": row.occurred_at,
            "data": row.data,
        }


@router.get("", response=Listed[EventShown], summary="Read events", **needs(Scope.EVENTS_READ))
def list_events(request: ApiRequest, query: Query[EventFilters]) -> HttpResponse:
    """Read the events after another one, the oldest first. They are kept for 90 days.

    Keep the id of the last one, and ask again with it: no event appears before it later.
    """
    own = Event.objects.filter(partner_id=request.auth.partner.pk)
    found = found_events(own, query, after=position_of(own, query.after))
    shown = [EventShown.of(row) for row in found[: query.limit]]
    has_more = len(found) > query.limit
    return answer_listed(request, shown, {"after": shown[-1].id} if has_more else None)


def found_events(rows: EventQuerySet, query: EventFilters, *, after: int) -> list[Event]:
    """Return the events that the query asks for, and one more where there are more."""
    if query.type is not None:
        rows = rows.filter(kind=query.type)
    return list(rows.after(after)[: query.limit + 1])


def position_of(own: EventQuerySet, key: str) -> int:
    """Return the place of the event in the feed, 0 for an empty key. Raises Problem for others.

    The place itself stays ours: its gaps would tell a partner how much happens at others.
    """
    if not key:
        return 0
    found = own.filter(pk=key, position__isnull=False).first() if key.isdecimal() else None
    if found is None:
        text = "This is no event of yours, or it is no longer kept. Begin without `after`."
        raise Problem(422, CallProblem.CURSOR_UNKNOWN, text)
    return found.position or 0
