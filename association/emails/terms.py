"""The e-mails about budgets and authorizations, to both sides."""

from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from association.emails.shared import to_customer, to_partner
from association.enums import AuthorizationState, FrozenAction
from association.models import Authorization, BudgetAlert, BudgetRequest, OnExhaustion
from association.services.forecasts import budget_lasts_until
from association.services.freeze_advice import find_advice
from association.services.spending import resets_at
from outbox.models import OutboxMessage
from outbox.services.rendering import Email, Stale, absolute_url, find_about

_AUTHORIZATIONS = Authorization.objects.select_related(
    "association__partner", "association__account__owner"
)


def customer_budget_alert(message: OutboxMessage) -> Email:
    """Tell the partner how much is used. Stale when the budget was replaced.

    `data["used"]` is the amount at the time of the alert.
    """
    alert = _find_alert(message)
    subject = (
        _("A customer's budget is used up")
        if alert.is_used_up
        else _("%(percent)d %% of a customer's budget is used") % {"percent": alert.threshold}
    )
    return to_partner(message, alert.budget.association, subject, **_about_alert(message, alert))


def budget_alert(message: OutboxMessage) -> Email:
    """Tell the customer, as `customer_budget_alert()` tells the partner."""
    alert = _find_alert(message)
    used_up, partly = _("Your budget is used up"), _("%(threshold)d %% of your budget is used")
    subject = used_up if alert.is_used_up else partly
    return to_customer(message, alert.budget.association, subject, **_about_alert(message, alert))


def _find_alert(message: OutboxMessage) -> BudgetAlert:
    rows = BudgetAlert.objects.select_related(
        "budget__association__partner", "budget__association__account__owner"
    )
    alert = find_about(message, rows)
    if alert.budget.association.ended_at is not None or alert.budget.replaced_at is not None:
        raise Stale("budget is replaced")
    return alert


def _about_alert(message: OutboxMessage, alert: BudgetAlert) -> dict[str, Any]:
    budget, used = alert.budget, Decimal(message.data["used"])
    return {
        "threshold": alert.threshold,
        "is_used_up": alert.is_used_up,
        "freezes": budget.on_exhaustion == OnExhaustion.FREEZE,
        "used": used,
        "amount": budget.amount,
        "lasts_until": budget_lasts_until(budget, used=used, now=alert.alerted_at),
        "resets_at": resets_at(budget, alert.alerted_at),
    }


def authorization_requested(message: OutboxMessage) -> Email:
    authorization = find_about(message, _AUTHORIZATIONS.all())
    association = authorization.association
    if association.ended_at is not None or authorization.state != AuthorizationState.REQUESTED:
        raise Stale("already answered")
    subject = _("%(partner)s asks for your authorization")
    return to_customer(
        message,
        association,
        subject,
        authorization_url=absolute_url("my_authorization"),
    )


def authorization_decided(message: OutboxMessage) -> Email:
    """Stale when the state is not `data["state"]` any more."""
    authorization = find_about(message, _AUTHORIZATIONS.all())
    state = authorization.state
    if message.data.get("state", state) != state:
        raise Stale("decided otherwise since")
    subjects = {
        "granted": _("A customer has given you the authorization"),
        "declined": _("A customer has declined the authorization"),
        "revoked": _("A customer has revoked the authorization"),
    }
    if state not in subjects:
        raise Stale("not decided")
    return to_partner(
        message,
        authorization.association,
        subjects[state],
        state=state,
        reason_lines=authorization.reason.splitlines(),
    )


def budget_requested(message: OutboxMessage) -> Email:
    """Tell the partner what a frozen customer asks for. Stale when it would not help any more."""
    budget_request = find_about(
        message,
        BudgetRequest.objects.select_related("association__partner", "association__account__owner"),
    )
    association = budget_request.association
    if association.ended_at is not None:
        raise Stale("association ended")
    rows = find_advice(association.account, association, now=timezone.now())
    if budget_request.asked_for not in {row.action for row in rows}:
        raise Stale("answered already")
    return write_budget_requested(message, budget_request)


def write_budget_requested(message: OutboxMessage, budget_request: BudgetRequest) -> Email:
    """Write `budget_requested()` about a customer who is frozen."""
    subjects = {
        FrozenAction.SET_BUDGET: _("A customer asks for a budget"),
        FrozenAction.UNFREEZE: _("A customer asks you to unfreeze the account"),
        FrozenAction.RAISE_BUDGET: _("A customer asks you to raise the budget"),
    }
    return to_partner(
        message,
        budget_request.association,
        subjects[FrozenAction(budget_request.asked_for)],
        asked_at=budget_request.asked_at,
        asked_for=budget_request.asked_for,
    )
