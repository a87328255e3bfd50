"""The feed of the events of all partners, and of those that only the provider reads."""

from collections.abc import Mapping, Sequence
from typing import Self

from django.db.models import Model
from django.http import HttpResponse
from ninja import Query, Router
from pydantic import Field

from accounts.models import CustomerAccount
from association.models import Association, Attempt
from integration.api.answers import Listed, answer_listed
from integration.api.callers import ProviderRequest
from integration.api.events import EventFilters, EventShown, found_events, position_of
from integration.api.fields import Id
from integration.api.gate import provider_needs
from integration.api.provider.partners import partner_of
from integration.enums import ProviderScope
from outbox.models import Event

router = Router(tags=["Provider: events"])
# The models by which an event names an account, and the way from each to it.
_PATHS: Mapping[type[Model], str] = {
    Association: "account__",
    Attempt: "account__",
    CustomerAccount: "",
}


class ProviderEventFilters(EventFilters):
    """From where on, of which kind, and of which partner."""

    partner_id: Id | None = None


class ProviderEventShown(EventShown):
    """Something that happened at a partner. Read the object itself for what is true now."""

    partner_id: str | None = Field(description="The partner that reads the event too.")
    account: str | None = Field(
        description="The account name; null for an event about an invitation alone."
    )
    external_id: str | None = Field(description="Your own key of the account, as it is now.")

    @classmethod
    def of_each(cls, rows: Sequence[Event]) -> list[Self]:
        accounts = _accounts_of(rows)
        return [
            cls(
                **cls.values_of(row),
                partner_id=None if row.partner_id is None else str(row.partner_id),
                account=account,
                external_id=external_id,
            )
            for row in rows
            for account, external_id in [accounts.get(_account_key(row), (None, None))]
        ]


# A model, and the key of its row that leads to the account.
_Key = tuple[type[Model], str]
_Names = tuple[str, str | None]


def _account_key(row: Event) -> _Key | None:
    """Return what leads to the account that the event is about."""
    if "customer_id" in row.data:
        return Association, row.data["customer_id"]
    if "attempt_id" in row.data:
        return Attempt, row.data["attempt_id"]
    if row.object_label == CustomerAccount._meta.label_lower:
        return CustomerAccount, row.object_id
    return None


def _accounts_of(rows: Sequence[Event]) -> Mapping[_Key | None, _Names]:
    """Return the account name and external id by key, in one statement for each model."""
    keys = {key for row in rows if (key := _account_key(row)) is not None}
    found: dict[_Key | None, _Names] = {}
    for model, path in _PATHS.items():
        texts = [text for of_model, text in keys if of_model is model]
        if texts:
            names = model._default_manager.filter(pk__in=texts).values_list(
                "pk", f"{path}owner__account_name", f"{path}external_id"
            )
            found |= {(model, str(pk)): (name, external_id) for pk, name, external_id in names}
    return found


@router.get(
    "",
    response=Listed[ProviderEventShown],
    summary="Read the events of all partners",
    **provider_needs(ProviderScope.EVENTS_READ, finds_one=True),
)
def list_events(request: ProviderRequest, query: Query[ProviderEventFilters]) -> HttpResponse:
    """Read the events after another one, the oldest first. They are kept for 90 days.

    Keep the id of the last one, and ask again with it: no event appears before it later.
    """
    rows = Event.objects.all()
    after = position_of(rows, query.after)
    if query.partner_id is not None:
        rows = rows.filter(partner_id=partner_of(query.partner_id).pk)
    found = found_events(rows, query, after=after)
    shown = ProviderEventShown.of_each(found[: query.limit])
    has_more = len(found) > query.limit
    return answer_listed(request, shown, {"after": shown[-1].id} if has_more else None)
