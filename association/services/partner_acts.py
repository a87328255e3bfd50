"""What the partner has done to an account, as the customer may read it: rows, no names."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from accounts.enums import FreezeCause
from accounts.models import Freeze
from association.models import Association, Authorization, Budget


class ActKind(StrEnum):
    """The kinds of acts of a partner on a customer's account."""

    BUDGET = "budget"
    FREEZE = "freeze"
    BUDGET_USED_UP = "budget_used_up"
    UNFREEZE = "unfreeze"
    AUTHORIZATION_REQUEST = "authorization_request"


_FREEZES = {
    FreezeCause.PARTNER: ActKind.FREEZE,
    FreezeCause.BUDGET_EXHAUSTED: ActKind.BUDGET_USED_UP,
}


@dataclass(frozen=True, slots=True)
class PartnerAct:
    """One act: what, when, and what belongs to it. Which member it was is the partner's affair."""

    kind: ActKind
    at: datetime
    scope: str = ""
    reason: str = ""
    budget: Budget | None = None


def acts_of_partner(
    association: Association,
    *,
    budgets: Iterable[Budget],
    freezes: Iterable[Freeze],
    authorizations: Iterable[Authorization],
) -> list[PartnerAct]:
    """Return every act of this association's partner, newest first; no query.

    Freezes of the provider, and those from before the association, are none of its acts. Nor is
    the freeze that came with joining; lifting it is.
    """
    own = [
        freeze
        for freeze in freezes
        if freeze.frozen_at >= association.associated_at
        and freeze.cause != FreezeCause.ADMINISTRATOR
    ]
    acts = [PartnerAct(ActKind.BUDGET, row.set_at, budget=row) for row in budgets]
    acts += [
        PartnerAct(
            _FREEZES[FreezeCause(row.cause)],
            row.frozen_at,
            scope=row.get_scope_display(),
            reason=row.reason,
        )
        for row in own
        if row.cause in _FREEZES
    ]
    acts += _unfreezes(own)
    acts += [
        PartnerAct(ActKind.AUTHORIZATION_REQUEST, row.requested_at)
        for row in authorizations
        if row.requested_at is not None
    ]
    return sorted(acts, key=lambda act: act.at, reverse=True)


def _unfreezes(freezes: Iterable[Freeze]) -> list[PartnerAct]:
    """Return the unfreezes: what lifted several freezes at one moment was one act."""
    lifted = {(row.unfrozen_at, row.unfreeze_reason) for row in freezes if row.unfrozen_at}
    return [PartnerAct(ActKind.UNFREEZE, at, reason=reason) for at, reason in lifted if at]
