"""May this account do X? One answer, from its open freezes; the pages' tables are made of it."""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.enums import FreezeScope
from accounts.models import Freeze


class Act(models.TextChoices):
    """What an account may want to do."""

    LOG_IN = "log_in", _("Log in and read everything")
    PAY = "pay", _("Pay bills")
    CONTACT = "contact", _("Contact the partner and support")
    MANAGE_AUTHORIZATIONS = "manage_authorizations", _("Manage authorizations")
    BUY = "buy", _("Buy resources")
    RENEW = "renew", _("Renew resources")
    CHANGE = "change", _("Change resources")
    RUN_RESOURCES = "run_resources", _("Run existing resources, which go on costing money")


_STOPPED = {
    None: frozenset[Act](),
    FreezeScope.ACCOUNT: frozenset({Act.BUY, Act.RENEW, Act.CHANGE}),
    FreezeScope.ACCOUNT_AND_RESOURCES: frozenset(
        {Act.BUY, Act.RENEW, Act.CHANGE, Act.RUN_RESOURCES}
    ),
}


def widest_scope(freezes: Iterable[Freeze]) -> FreezeScope | None:
    """Return the scope that applies while these freezes are open; None: the account is free."""
    scopes = {freeze.scope for freeze in freezes if freeze.is_open}
    for scope in (FreezeScope.ACCOUNT_AND_RESOURCES, FreezeScope.ACCOUNT):
        if scope in scopes:
            return scope
    return None


def may(act: Act, *, scope: FreezeScope | None) -> bool:
    """Return whether an account frozen in this scope (None: not frozen) may do this."""
    return act not in _STOPPED[scope]


def capability_rows(freezes: Iterable[Freeze]) -> list[dict[str, Any]]:
    """Return the table of every act and whether it is possible now, for the pages."""
    scope = widest_scope(freezes)
    return [{"act": act.label, "allowed": may(act, scope=scope)} for act in Act]
