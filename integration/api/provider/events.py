"""The feed of the events of all partners, and of those that only the provider reads."""

from typing import Self

from django.http import HttpResponse
from ninja import Query, Router
from pydantic import Field

from integration.api.answers import Listed, answer_listed
from integration.api.callers import ProviderRequest
from integration.api.events import EventFeed, EventShown, position_of
from integration.api.gate import provider_needs
from integration.api.provider.associations import Id
from integration.enums import ProviderScope
from outbox.models import Event

router = Router(tags=["Provider: events"])


class ProviderEventFilters(EventFeed):
    """From where on, and of which partner."""

    partner_id: Id | None = None


class ProviderEventShown(EventShown):
    """Something that happened at a partner. Read the object itself for what is true now."""

    partner_id: str | None = Field(description="The partner that reads the event too.")

    @classmethod
    def of(cls, row: Event) -> Self:
        partner_id = None if row.partner_id is None else str(row.partner_id)
        return cls(**cls.values_of(row), partner_id=partner_id)


@router.get(
    "",
    response=Listed[ProviderEventShown],
    summary="Read the events of all partners",
    **provider_needs(ProviderScope.EVENTS_READ),
)
def list_events(request: ProviderRequest, query: Query[ProviderEventFilters]) -> HttpResponse:
    """Read the events after another one, the oldest first. They are kept for 90 days.

    Keep the id of the last one, and ask again with it: no event appears before it later.
    """
    rows = Event.objects.all()
    after = position_of(rows, query.after)
    if query.partner_id is not None:
        rows = rows.filter(partner_id=int(query.partner_id))
    found = list(rows.after(after)[: query.limit + 1])
    shown = [ProviderEventShown.of(row) for row in found[: query.limit]]
    has_more = len(found) > query.limit
    return answer_listed(request, shown, {"after": shown[-1].id} if has_more else None)
