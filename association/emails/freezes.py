"""The e-mails about freezes: to the owner of the account, and to the partner."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.enums import FreezeCause, ResourceStatus
from accounts.models import CustomerAccount, Freeze, User
from association.enums import Side
from association.freeze_words import action_label, freeze_lines, is_providers
from association.models import Association
from association.services.freeze_advice import FreezeRow, advice_for
from outbox.models import OutboxMessage
from outbox.services.rendering import Email, Stale, absolute_url, find_about, render_email
from partners.emails import render_for_partner
from web.email_addresses import mask_address

_ASSOCIATIONS = Association.objects.select_related("partner", "account__owner")
_FREEZES = Freeze.objects.select_related("account__owner", "frozen_by", "unfrozen_by")


def frozen(message: OutboxMessage) -> Email:
    """Tell the owner that the account was frozen. Stale when that freeze is over."""
    freeze = _find_open_freeze(message)
    association, is_used_up = _association_of(freeze), freeze.cause == FreezeCause.BUDGET_EXHAUSTED
    subject = (
        _("Your budget is used up – your account is frozen")
        if is_used_up
        else _("%(actor)s has frozen your account")
    )
    return _to_owner(
        message,
        freeze,
        association,
        subject,
        actor=_who_acted(freeze, freeze.frozen_by, association),
        is_used_up=is_used_up,
        reason_lines=freeze.reason.splitlines(),
    )


def customer_frozen(message: OutboxMessage) -> Email:
    """Tell the partner that the provider has frozen a customer's account. Stale when it is over."""
    freeze = _find_open_freeze(message)
    subject = _("%(provider)s has frozen a customer of yours")
    return _about_freeze_to_partner(message, freeze, subject, freeze.reason)


def unfrozen(message: OutboxMessage) -> Email:
    """Tell the owner that a freeze was lifted, and what is left. Stale when frozen again."""
    freeze = _find_lifted_freeze(message)
    association = _association_of(freeze)
    is_still_frozen = freeze.account.freezes.open().exists()
    subject = (
        _("%(actor)s has lifted a freeze – your account is still frozen")
        if is_still_frozen
        else _("Your account is no longer frozen")
    )
    return _to_owner(
        message,
        freeze,
        association,
        subject,
        actor=_who_acted(freeze, freeze.unfrozen_by, association),
        is_still_frozen=is_still_frozen,
        reason_lines=freeze.unfreeze_reason.splitlines(),
    )


def customer_unfrozen(message: OutboxMessage) -> Email:
    """Tell the partner that the provider has lifted a freeze. Stale when frozen again."""
    freeze = _find_lifted_freeze(message)
    subject = _("%(provider)s has lifted a freeze of a customer of yours")
    return _about_freeze_to_partner(message, freeze, subject, freeze.unfreeze_reason)


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
    association = _ASSOCIATIONS.in_force().filter(account=freeze.account_id).first()
    if freeze.cause != FreezeCause.ADMINISTRATOR and (
        association is None or freeze.frozen_at < association.associated_at
    ):
        raise Stale("association ended")
    return association


def _who_acted(freeze: Freeze, actor: User | None, association: Association | None) -> str:
    """Return who froze or unfroze: the provider, also if its staff did it for the partner."""
    is_the_providers = freeze.cause == FreezeCause.ADMINISTRATOR or is_providers(actor)
    if association is None or is_the_providers:
        return str(settings.PROVIDER_NAME)
    return association.partner.name


def find_advice(account: CustomerAccount, association: Association | None) -> list[FreezeRow]:
    """Return what `advise()` says of the account as it is now."""
    budget = association.budgets.current().first() if association is not None else None
    open_freezes = account.freezes.open().select_related("frozen_by")
    return advice_for(open_freezes, budget, timezone.now())


def _to_owner(
    message: OutboxMessage,
    freeze: Freeze,
    association: Association | None,
    subject: str,
    **context: Any,
) -> Email:
    """Write to the owner about a freeze: what is open now, and the one thing that helps first."""
    account, partner = freeze.account, association.partner if association is not None else None
    rows = find_advice(account, association)
    lines = freeze_lines(rows, partner=partner, reader=Side.CUSTOMER)
    resources = account.resources.exclude(status=ResourceStatus.RELEASED)
    about = {
        "partner": partner,
        "account_name": account.owner.account_name,
        "my_partner_url": absolute_url("my_partner"),
        # Of the freeze that the e-mail is about, its first sentence says it.
        "lines": [line for line, row in zip(lines, rows, strict=True) if row.freeze != freeze],
        "action": rows[0].action if rows else None,
        "action_label": action_label(rows[0].action, partner) if rows else "",
        "stops_resources": any(row.freeze.stops_resources for row in rows) and resources.exists(),
        "has_running": resources.filter(status=ResourceStatus.RUNNING).exists(),
    }
    return render_email(
        message,
        template=message.kind.replace(".", "/"),
        subject=subject % {"actor": context.get("actor")},
        context=about | context,
    )


def _about_freeze_to_partner(
    message: OutboxMessage, freeze: Freeze, subject: str, reason: str
) -> Email:
    association = _association_of(freeze)
    if association is None:
        raise Stale("association ended")
    owner = freeze.account.owner
    return render_for_partner(
        message,
        partner=association.partner,
        template=message.kind.replace(".", "/"),
        subject=subject % {"provider": settings.PROVIDER_NAME},
        context={
            "account_name": owner.account_name,
            "masked_address": mask_address(owner.email),
            "console_url": absolute_url("console_customer", association.pk),
            "freeze": freeze,
            "is_the_providers": freeze.cause == FreezeCause.ADMINISTRATOR,
            "is_still_frozen": freeze.account.freezes.open().exists(),
            "reason_lines": reason.splitlines(),
        },
    )
