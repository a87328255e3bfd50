"""The e-mails about freezes: to the owner of the account, and to the partner."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.enums import FreezeCause
from accounts.models import Freeze
from association.emails.shared import ASSOCIATIONS
from association.enums import Side
from association.freeze_words import action_label, freeze_lines
from association.models import Association, Budget
from association.services.freeze_advice import FreezeRow, find_advice
from association.services.spending import NOTHING, spent_of
from outbox.models import OutboxMessage
from outbox.services.rendering import Email, Stale, absolute_url, find_about, render_email
from partners.emails import render_as_partner, render_for_partner
from web.email_addresses import mask_address

_FREEZES = Freeze.objects.select_related("account__owner")


@dataclass(frozen=True, slots=True)
class Situation:
    """What holds for an account when an e-mail about one of its freezes is written."""

    association: Association | None
    rows: list[FreezeRow]
    has_resources: bool
    has_running: bool
    budget: Budget | None = None
    # Of the budget, in its present period.
    used: Decimal = NOTHING


def frozen(message: OutboxMessage) -> Email:
    """Tell the owner that the account was frozen. Stale when that freeze is over."""
    freeze = _find_open_freeze(message)
    return write_frozen(message, freeze, _situation_of(freeze))


def write_frozen(message: OutboxMessage, freeze: Freeze, situation: Situation) -> Email:
    """Write `frozen()` about an account in this situation."""
    is_used_up = freeze.cause == FreezeCause.BUDGET_EXHAUSTED
    subject = (
        _("Your budget is used up – your account is frozen")
        if is_used_up
        else _("%(actor)s has frozen your account")
    )
    return _to_owner(
        message,
        freeze,
        situation,
        subject,
        by_provider=freeze.frozen_by_provider,
        is_used_up=is_used_up,
        reason_lines=freeze.reason.splitlines(),
    )


def customer_frozen(message: OutboxMessage) -> Email:
    """Tell the partner that the provider has frozen a customer's account. Stale when it is over."""
    freeze = _find_open_freeze(message)
    situation = _situation_of(freeze)
    _check_is_customer(situation.association, freeze.frozen_at)
    return write_customer_frozen(message, freeze, situation)


def write_customer_frozen(message: OutboxMessage, freeze: Freeze, situation: Situation) -> Email:
    """Write `customer_frozen()` about an account in this situation."""
    subject = _("%(provider)s has frozen a customer of yours")
    return _about_freeze_to_partner(message, freeze, situation, subject, freeze.reason)


def unfrozen(message: OutboxMessage) -> Email:
    """Tell the owner that a freeze was lifted, and what is left. Stale when frozen again."""
    freeze = _find_lifted_freeze(message)
    return write_unfrozen(message, freeze, _situation_of(freeze))


def write_unfrozen(message: OutboxMessage, freeze: Freeze, situation: Situation) -> Email:
    """Write `unfrozen()` about an account in this situation."""
    subject = (
        _("%(actor)s has lifted a freeze – your account is still frozen")
        if situation.rows
        else _("Your account is no longer frozen")
    )
    return _to_owner(
        message,
        freeze,
        situation,
        subject,
        by_provider=freeze.unfrozen_by_provider,
        is_still_frozen=bool(situation.rows),
        budget=situation.budget,
        used=situation.used,
        is_used_up=situation.budget is not None and situation.used >= situation.budget.amount,
        reason_lines=freeze.unfreeze_reason.splitlines(),
    )


def customer_unfrozen(message: OutboxMessage) -> Email:
    """Tell the partner that the provider has lifted a freeze. Stale when frozen again."""
    freeze = _find_lifted_freeze(message)
    situation = _situation_of(freeze)
    _check_is_customer(situation.association, freeze.unfrozen_at)
    return write_customer_unfrozen(message, freeze, situation)


def write_customer_unfrozen(message: OutboxMessage, freeze: Freeze, situation: Situation) -> Email:
    """Write `customer_unfrozen()` about an account in this situation."""
    subject = _("%(provider)s has lifted a freeze of a customer of yours")
    return _about_freeze_to_partner(message, freeze, situation, subject, freeze.unfreeze_reason)


def _find_open_freeze(message: OutboxMessage) -> Freeze:
    freeze = find_about(message, _FREEZES.all())
    if not freeze.is_open:
        raise Stale("no longer frozen")
    return freeze


def _find_lifted_freeze(message: OutboxMessage) -> Freeze:
    freeze = find_about(message, _FREEZES.all())
    if freeze.is_open or freeze.account.freezes.open().filter(frozen_at__gte=freeze.unfrozen_at):
        raise Stale("frozen again")
    return freeze


def _association_of(freeze: Freeze) -> Association | None:
    """Return the account's association in force, if it has one.

    Raises Stale for the freeze of a partner that is not the account's any more.
    """
    association = ASSOCIATIONS.in_force().filter(account=freeze.account_id).first()
    if freeze.cause != FreezeCause.ADMINISTRATOR and (
        association is None or freeze.frozen_at < association.associated_at
    ):
        raise Stale("association ended")
    return association


def _check_is_customer(association: Association | None, at: datetime | None) -> None:
    """Raise Stale where the account was no customer of its present partner at the moment.

    The e-mail was enqueued for the partner of that moment, whose members must not read about the
    customer of another one.
    """
    if association is None or at is None or at < association.associated_at:
        raise Stale("association ended")


def _situation_of(freeze: Freeze) -> Situation:
    association, account = _association_of(freeze), freeze.account
    now = timezone.now()
    budgets = Budget.objects.current().select_related("association__partner")
    budget = budgets.filter(association=association).first() if association is not None else None
    return Situation(
        association,
        find_advice(account, association, now=now),
        has_resources=account.resources.existing().exists(),
        has_running=account.resources.running().exists(),
        budget=budget,
        used=spent_of(budget, now) if budget is not None else NOTHING,
    )


def _to_owner(
    message: OutboxMessage,
    freeze: Freeze,
    situation: Situation,
    subject: str,
    *,
    by_provider: bool,
    **context: Any,
) -> Email:
    """Write to the owner about a freeze: what is open now, and the one thing that helps first.

    Who acted speaks: the provider also where its staff acted for the partner (`by_provider`).
    """
    association, rows = situation.association, situation.rows
    partner = association.partner if association is not None else None
    by_provider = by_provider or freeze.cause == FreezeCause.ADMINISTRATOR
    lines = freeze_lines(rows, partner=partner, reader=Side.CUSTOMER)
    about = {
        "freeze": freeze,
        "partner": partner,
        "actor": settings.PROVIDER_NAME if partner is None or by_provider else partner.name,
        "is_the_providers": freeze.cause == FreezeCause.ADMINISTRATOR,
        "account_name": freeze.account.owner.account_name,
        "my_partner_url": absolute_url("my_partner"),
        # Of the freeze that the e-mail is about, its first sentence says it.
        "lines": [line for line, row in zip(lines, rows, strict=True) if row.freeze != freeze],
        "action": rows[0].action if rows else None,
        "action_label": action_label(rows[0].action, partner) if rows else "",
        "stops_resources": situation.has_resources
        and any(row.freeze.stops_resources for row in rows),
        "has_running": situation.has_running,
    }
    render = (
        render_email
        if partner is None or by_provider
        else partial(render_as_partner, partner=partner)
    )
    return render(
        message,
        template=message.kind.replace(".", "/"),
        subject=subject % about,
        context=about | context,
    )


def _about_freeze_to_partner(
    message: OutboxMessage, freeze: Freeze, situation: Situation, subject: str, reason: str
) -> Email:
    association, owner = situation.association, freeze.account.owner
    if association is None:
        raise Stale("association ended")
    return render_for_partner(
        message,
        partner=association.partner,
        template=message.kind.replace(".", "/"),
        subject=subject % {"provider": settings.PROVIDER_NAME},
        context={
            "customer": association.shown_name,
            "masked_address": mask_address(owner.email),
            "console_url": absolute_url("console_customer", association.pk),
            "freeze": freeze,
            "is_the_providers": freeze.cause == FreezeCause.ADMINISTRATOR,
            "is_still_frozen": bool(situation.rows),
            "has_budget": situation.budget is not None,
            "reason_lines": reason.splitlines(),
        },
    )
