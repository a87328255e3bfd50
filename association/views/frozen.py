"""What the customer's pages show of a frozen account: why, and the one thing to do about it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from accounts.models import CustomerAccount
from accounts.services.capabilities import capability_rows, decide_actions
from association.enums import Side
from association.freeze_words import action_label, freeze_lines
from association.models import Association
from association.services.budget_requests import may_ask_again_at
from association.services.facts import load_holdings
from association.services.freeze_advice import FreezeRow, first_ask


def account_context(
    account: CustomerAccount,
    rows: Sequence[FreezeRow],
    association: Association | None,
    now: datetime,
) -> dict[str, Any]:
    """Return `frozen` (None for a free account), `capabilities` and `holdings`.

    `rows` are of `advise()`, with who froze. Two statements, a third where the customer can ask.
    """
    holdings = load_holdings(account=account, now=now)
    actions = decide_actions(
        account=account,
        freezes=[row.freeze for row in rows],
        # The owner, signed in, reads these pages.
        is_owner_active=True,
    )
    return {
        "frozen": _frozen(rows, association, now) if rows else None,
        "capabilities": capability_rows(actions, has_resources=bool(holdings["resources"])),
        "holdings": holdings,
    }


def _frozen(
    rows: Sequence[FreezeRow], association: Association | None, now: datetime
) -> dict[str, Any]:
    partner = association.partner if association is not None else None
    action, ask = rows[0].action, first_ask(rows)
    return {
        "association": association.pk if association is not None else "",
        "lines": freeze_lines(rows, partner=partner, reader=Side.CUSTOMER),
        "stops_resources": any(row.freeze.stops_resources for row in rows),
        "action": action,
        "action_label": action_label(action, partner),
        **(_last_ask(association, ask, now) if association is not None and ask else {}),
    }


def _last_ask(association: Association, ask: str, now: datetime) -> dict[str, Any]:
    """Return when the customer last asked for this, and when it is possible again if not now."""
    last = association.budget_requests.filter(asked_for=ask).order_by("-asked_on").first()
    if last is None:
        return {"can_ask": True}
    again_at = may_ask_again_at(last.asked_at)
    return {"can_ask": again_at <= now, "asked_at": last.asked_at, "again_at": again_at}
