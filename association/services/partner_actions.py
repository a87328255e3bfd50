"""What the partner has done to an account, as its owner may read it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from accounts.enums import FreezeCause
from accounts.models import Freeze
from association.enums import PartnerActionKind
from association.models import Association, Authorization, Budget

_FREEZES = {
    FreezeCause.PARTNER: PartnerActionKind.FREEZE,
    FreezeCause.BUDGET_EXHAUSTED: PartnerActionKind.BUDGET_USED_UP,
}


@dataclass(frozen=True, slots=True)
class PartnerAction:
    """One action of the partner; which member did it is not shown to the customer."""

    kind: PartnerActionKind
    at: datetime
    scope: str = ""
    reason: str = ""
    budget: Budget | None = None


def partner_actions(
    association: Association,
    *,
    budgets: Iterable[Budget],
    freezes: Iterable[Freeze],
    authorizations: Iterable[Authorization],
) -> list[PartnerAction]:
    """Return every action of this association's partner, newest first; no query.

    Freezes of the provider and those from before the association are left out, and so is the freeze
    that came with joining; lifting that one is an action of the partner.
    """
    own = [
        freeze
        for freeze in freezes
        if freeze.frozen_at >= association.associated_at
        and freeze.cause != FreezeCause.ADMINISTRATOR
    ]
    actions = [PartnerAction(PartnerActionKind.BUDGET, row.set_at, budget=row) for row in budgets]
    actions += [
        PartnerAction(
            _FREEZES[FreezeCause(row.cause)],
            row.frozen_at,
            scope=row.get_scope_display(),
            reason=row.reason,
        )
        for row in own
        if row.cause in _FREEZES
    ]
    actions += _unfreezes(own)
    actions += [
        PartnerAction(PartnerActionKind.AUTHORIZATION_REQUEST, row.requested_at)
        for row in authorizations
        if row.requested_at is not None
    ]
    return sorted(actions, key=lambda action: action.at, reverse=True)


def _unfreezes(freezes: Iterable[Freeze]) -> list[PartnerAction]:
    """Return the unfreezes; several freezes that were lifted at one moment are one action."""
    lifted = {(row.unfrozen_at, row.unfreeze_reason) for row in freezes if row.unfrozen_at}
    return [
        PartnerAction(PartnerActionKind.UNFREEZE, at, reason=reason) for at, reason in lifted if at
    ]
