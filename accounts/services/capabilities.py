"""What an account can do now, derived from its open freezes."""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.enums import FreezeScope
from accounts.models import Freeze


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


# What the page adds while the action is possible.
_NOTES = {AccountAction.RUN_RESOURCES: _("They cost money while they run.")}
_STOPPED_FOR_ACCOUNT = {AccountAction.BUY, AccountAction.RENEW, AccountAction.CHANGE}
_STOPPED: dict[FreezeScope | None, set[AccountAction]] = {
    None: set(),
    FreezeScope.ACCOUNT: _STOPPED_FOR_ACCOUNT,
    FreezeScope.ACCOUNT_AND_RESOURCES: _STOPPED_FOR_ACCOUNT | {AccountAction.RUN_RESOURCES},
}


def widest_scope(freezes: Iterable[Freeze]) -> FreezeScope | None:
    """Return the widest scope of the open freezes; None when the account is not frozen."""
    scopes = {freeze.scope for freeze in freezes if freeze.is_open}
    for scope in (FreezeScope.ACCOUNT_AND_RESOURCES, FreezeScope.ACCOUNT):
        if scope in scopes:
            return scope
    return None


def capability_rows(freezes: Iterable[Freeze], *, has_resources: bool) -> list[dict[str, Any]]:
    """Return the rows of the pages' table: every action, and whether it is possible now.

    Without resources there is nothing to say about running them.
    """
    stopped = _STOPPED[widest_scope(freezes)]
    actions = [row for row in AccountAction if has_resources or row != AccountAction.RUN_RESOURCES]
    return [
        {
            "action": action.label,
            "allowed": action not in stopped,
            "note": _NOTES.get(action, "") if action not in stopped else "",
        }
        for action in actions
    ]
