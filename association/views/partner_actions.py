"""What a partner has done to its customer, as the customer's page lists it."""

from collections.abc import Iterable, Sequence
from typing import Any

from accounts.enums import FreezeCause
from accounts.models import Freeze
from association.models import Association, Authorization, Budget


def partner_actions(
    association: Association,
    *,
    budgets: Iterable[Budget],
    freezes: Iterable[Freeze],
    authorizations: Iterable[Authorization],
) -> list[dict[str, Any]]:
    """Return every action of this association's partner, newest first; no query.

    Which member did it is not shown, but that the provider did it for the partner is. Freezes of
    the provider and those from before the association are left out, and so are those that came with
    joining or with a budget that was used up; lifting them is an action of the partner.
    """
    own = [
        freeze
        for freeze in freezes
        if freeze.frozen_at >= association.associated_at
        and freeze.cause != FreezeCause.ADMINISTRATOR
    ]
    set_budgets = [
        {
            "kind": "budget",
            "at": row.set_at,
            "budget": row,
            "by_provider": row.set_by_provider,
        }
        for row in budgets
    ]
    requests = [
        {
            "kind": "authorization_request",
            "at": row.requested_at,
            "by_provider": row.requested_by_provider,
        }
        for row in authorizations
        if row.requested_at is not None
    ]
    actions = [*set_budgets, *_freeze_actions(own), *requests]
    return sorted(actions, key=lambda action: action["at"], reverse=True)


def _freeze_actions(own: Sequence[Freeze]) -> list[dict[str, Any]]:
    frozen = [
        {
            "kind": row.cause,
            "at": row.frozen_at,
            "freeze": row,
            "reason": row.reason,
            "by_provider": row.frozen_by_provider,
        }
        for row in own
        if row.cause == FreezeCause.PARTNER
    ]
    # Several freezes that were lifted at one moment are one action.
    lifted = {
        (row.unfrozen_at, row.unfreeze_reason, row.unfrozen_by_provider)
        for row in own
        if row.unfrozen_at
    }
    return frozen + [
        {"kind": "unfreeze", "at": at, "reason": reason, "by_provider": by_provider}
        for at, reason, by_provider in lifted
    ]
