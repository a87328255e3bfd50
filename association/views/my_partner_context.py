"""What My partner shows."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import Freeze
from accounts.services.capabilities import capability_rows
from association.models import Association, Authorization, Budget
from association.services.budget_requests import may_ask_again_at, waits_for_partner
from association.services.partner_actions import partner_actions
from association.services.spending import resets_at, spent_of


def my_partner_context(association: Association, now: datetime) -> dict[str, object]:
    """Return the context of My partner, all read at one moment."""
    account = association.account
    freezes = list(account.freezes.order_by("-frozen_at", "-pk"))
    open_freezes = [freeze for freeze in freezes if freeze.is_open]
    budgets = list(association.budgets.order_by("-set_at", "-pk"))
    budget = next((row for row in budgets if row.replaced_at is None), None)
    authorizations = list(association.authorizations.order_by("-pk"))
    authorization = authorizations[0] if authorizations else None
    return {
        "association": association,
        "account": account,
        "partner": association.partner,
        "freezes": freezes,
        "open_freezes": open_freezes,
        "capabilities": capability_rows(open_freezes),
        "budget": budget,
        "authorization": authorization,
        "actions": partner_actions(
            association, budgets=budgets, freezes=freezes, authorizations=authorizations
        ),
        "consents": account.consents.select_related("document", "authorization").order_by(
            "-agreed_at", "-pk"
        ),
        "tasks": _tasks(association, budget, open_freezes, authorization),
        **_budget_facts(budget, now),
        **_budget_request(association, open_freezes, now),
    }


def _budget_facts(budget: Budget | None, now: datetime) -> dict[str, object]:
    """Return what is used of the budget, and when it is restored."""
    if budget is None:
        return {}
    return {"spent": spent_of(budget, now), "resets_at": resets_at(budget, now)}


def _budget_request(
    association: Association, open_freezes: Iterable[Freeze], now: datetime
) -> dict[str, object]:
    """Return whether the customer can ask for a budget, when it last did, and when it can again."""
    if not waits_for_partner(association, open_freezes):
        return {"waits_for_partner": False}
    last = association.budget_requests.order_by("-asked_on").first()
    again_at = may_ask_again_at(last.asked_at) if last is not None else None
    return {
        "waits_for_partner": True,
        "asked_at": last.asked_at if last is not None else None,
        "again_at": again_at if again_at is not None and now < again_at else None,
    }


def _tasks(
    association: Association,
    budget: Budget | None,
    open_freezes: list[Freeze],
    authorization: Authorization | None,
) -> list[dict[str, Any]]:
    """Return the steps from the account to the unfrozen account, each done or waiting."""
    tasks: list[dict[str, Any]] = [
        {"title": _("Account"), "state": "done"},
        {"title": _("Associated"), "state": "done"},
    ]
    if association.is_reseller:
        waiting = _("Waiting for %(name)s")
        partner = waiting % {"name": association.partner.name}
        is_theirs = waits_for_partner(association, open_freezes)
        lifting = partner if is_theirs else waiting % {"name": settings.PROVIDER_NAME}
        tasks += [
            _task(_("Budget"), partner, is_done=budget is not None),
            _task(pgettext("state of an account", "Unfrozen"), lifting, is_done=not open_freezes),
        ]
    if authorization is not None and authorization.state == "requested":
        title = _("%(partner)s asks for your authorization")
        tasks.append(
            {
                "title": title % {"partner": association.partner.name},
                "state": "todo",
                "label": _("Waiting for you"),
                "href": reverse("my_authorization"),
            }
        )
    return tasks


def _task(title: str, waiting: str, *, is_done: bool) -> dict[str, Any]:
    state = "done" if is_done else "waiting"
    return {"title": title, "state": state, "label": "" if is_done else waiting}
