"""The e-mails about customers: freezes, budgets and authorizations, to both sides."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from accounts.enums import FreezeCause, FreezeScope
from accounts.models import Freeze
from association.emails.shared import (
    ASSOCIATIONS,
    actor_name,
    is_provider,
    to_customer,
    to_partner,
)
from association.enums import AuthorizationState
from association.models import (
    Association,
    Authorization,
    BudgetAlert,
    BudgetRequest,
    OnExhaustion,
)
from association.services.forecasts import budget_lasts_until
from association.services.spending import resets_at
from outbox.models import OutboxMessage
from outbox.services.rendering import Email, Stale, absolute_url, find_about

_AUTHORIZATIONS = Authorization.objects.select_related(
    "association__partner", "association__account__owner"
)


def frozen(message: OutboxMessage) -> Email:
    """Stale when that freeze is over; `data["cause"]` is its cause, by default the partner's."""
    association = find_about(message, ASSOCIATIONS.all())
    cause = message.data.get("cause", FreezeCause.PARTNER)
    open_freezes = association.account.freezes.open().select_related("frozen_by")
    freeze = open_freezes.filter(cause=cause).first()
    if association.ended_at is not None or freeze is None:
        raise Stale("no longer frozen")
    return write_frozen(message, association, freeze)


def write_frozen(message: OutboxMessage, association: Association, freeze: Freeze) -> Email:
    """Write `frozen()` about this freeze."""
    is_used_up = freeze.cause == FreezeCause.BUDGET_EXHAUSTED
    subject = (
        _("Your budget is used up – your account is frozen")
        if is_used_up
        else _("%(actor)s has frozen your account")
    )
    return to_customer(
        message,
        association,
        subject,
        by_provider=is_provider(freeze.frozen_by),
        actor=actor_name(freeze.frozen_by, association),
        is_used_up=is_used_up,
        reason_lines=freeze.reason.splitlines(),
        stops_resources=freeze.scope == FreezeScope.ACCOUNT_AND_RESOURCES,
    )


def budget_alert(message: OutboxMessage) -> Email:
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


def own_budget_alert(message: OutboxMessage) -> Email:
    """Tell the customer, as `budget_alert()` tells the partner."""
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


def unfrozen(message: OutboxMessage) -> Email:
    association = find_about(message, ASSOCIATIONS.all())
    if association.account.freezes.open().exists():
        raise Stale("frozen again")
    lifted = association.account.freezes.filter(unfrozen_at__isnull=False)
    latest = lifted.select_related("unfrozen_by").order_by("unfrozen_at", "pk").last()
    actor = latest.unfrozen_by if latest else None
    return to_customer(
        message,
        association,
        _("Your account is no longer frozen"),
        by_provider=is_provider(actor),
        actor=actor_name(actor, association),
        reason_lines=str(message.data.get("reason", "")).splitlines(),
    )


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
    asked = find_about(
        message,
        BudgetRequest.objects.select_related("association__partner", "association__account__owner"),
    )
    association = asked.association
    if association.ended_at is not None:
        raise Stale("association ended")
    if not association.account.freezes.open().exists():
        raise Stale("not frozen any more")
    return write_budget_requested(message, asked)


def write_budget_requested(message: OutboxMessage, asked: BudgetRequest) -> Email:
    """Write `budget_requested()` about a customer who is frozen."""
    association = asked.association
    return to_partner(
        message,
        association,
        _("A customer asks for a budget"),
        asked_at=asked.asked_at,
        has_budget=association.budgets.current().exists(),
    )
