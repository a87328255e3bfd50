"""What an account can do now, derived from its open freezes, its services and its owner."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.enums import FreezeScope, StopReason
from accounts.models import CustomerAccount, Freeze


class AccountAction(models.TextChoices):
    """What an account can do or not, depending on its freezes."""

    LOG_IN = "log_in", _("Log in and read everything")
    PAY = "pay", _("Pay bills")
    CONTACT = "contact", _("Contact the partner and support")
    MANAGE_AUTHORIZATIONS = "manage_authorizations", _("Manage authorizations")
    BUY = "buy", _("Buy resources")
    RENEW = "renew", _("Renew resources")
    CHANGE = "change", _("Change resources")
    RUN_RESOURCES = "run_resources", _("Run existing resources")


@dataclass(frozen=True, slots=True)
class Capability:
    """Whether one action is possible now; without reasons it is."""

    action: AccountAction
    reasons: tuple[StopReason, ...]

    @property
    def is_allowed(self) -> bool:
        return not self.reasons


# What the page adds while the action is possible.
_NOTES = {AccountAction.RUN_RESOURCES: _("They cost money while they run.")}
_STOPPED_FOR_ACCOUNT = {AccountAction.BUY, AccountAction.RENEW, AccountAction.CHANGE}
# What uses the provider's services.
_STOPPED_WITH_RESOURCES = _STOPPED_FOR_ACCOUNT | {AccountAction.RUN_RESOURCES}
_STOPPED: dict[str, set[AccountAction]] = {
    FreezeScope.ACCOUNT: _STOPPED_FOR_ACCOUNT,
    FreezeScope.ACCOUNT_AND_RESOURCES: _STOPPED_WITH_RESOURCES,
}


def widest_scope(freezes: Iterable[Freeze]) -> FreezeScope | None:
    """Return the widest scope of the open freezes; None when the account is not frozen."""
    scopes = {freeze.scope for freeze in freezes if freeze.is_open}
    for scope in (FreezeScope.ACCOUNT_AND_RESOURCES, FreezeScope.ACCOUNT):
        if scope in scopes:
            return scope
    return None


def decide_actions(
    *, account: CustomerAccount, freezes: Iterable[Freeze], is_owner_active: bool
) -> list[Capability]:
    """Return for every action whether the account may do it now, and all reasons if not.

    Pages and the API answer from it. Pure: no query. `freezes` are all of the
    account, or its open ones. Somebody who cannot log in does nothing; resources go on running.
    """
    is_open = [freeze for freeze in freezes if freeze.is_open]
    found = []
    for action in AccountAction:
        reasons = [
            StopReason.of_freeze(freeze.cause)
            for freeze in is_open
            if action in _STOPPED[freeze.scope]
        ]
        if not account.is_enabled and action in _STOPPED_WITH_RESOURCES:
            reasons.append(StopReason.SERVICES_NOT_ENABLED)
        if not is_owner_active and action != AccountAction.RUN_RESOURCES:
            reasons.append(StopReason.OWNER_DEACTIVATED)
        found.append(Capability(action, tuple(reasons)))
    return found


def capability_rows(found: Sequence[Capability], *, has_resources: bool) -> list[dict[str, Any]]:
    """Return the rows of the pages' table: every action, and whether it is possible now.

    `found` is of `decide_actions()`. Without resources there is nothing to say about running them.
    """
    return [
        {
            "action": row.action.label,
            "allowed": row.is_allowed,
            "note": _NOTES.get(row.action, "") if row.is_allowed else "",
        }
        for row in found
        if has_resources or row.action != AccountAction.RUN_RESOURCES
    ]
