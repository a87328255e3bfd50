"""What the console's tables and lists show of a customer: the state, and who did what."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.enums import FreezeCause, FreezeScope
from accounts.models import Freeze, User
from association.enums import CustomerStatus, Side
from association.freeze_words import freeze_lines, partner_reads_reason
from association.models import Association
from association.services.customer_lists import CustomerState
from association.services.freeze_advice import FreezeRow
from association.templatetags.association_money import money
from audit.models import AuditEvent
from partners.enums import BudgetPeriod
from partners.models import PartnerMember
from partners.views.refusing import actor_name

STATUSES: Mapping[str, tuple[Any, str]] = {
    CustomerStatus.WAITING: (gettext_lazy("Waiting for a budget"), "warning"),
    CustomerStatus.FROZEN: (gettext_lazy("Frozen"), "danger"),
    CustomerStatus.FREE: (gettext_lazy("Not frozen"), "success"),
    CustomerStatus.ENDED: (gettext_lazy("Ended"), "neutral"),
}


def row_of(state: CustomerState, member: PartnerMember) -> dict[str, Any]:
    association = state.association
    owner = association.account.owner
    label, kind = STATUSES[state.status]
    return {
        "association": association,
        "name": association.shown_name,
        "account_name": owner.account_name,
        "address": owner.email if member.sees_addresses else owner.masked_email,
        "status": label,
        "kind": kind,
        "frozen_since": state.frozen_since,
        "ended_at": association.ended_at,
        "end_reason": association.end_reason,
        "can_budget": association.is_reseller and not association.has_ended,
        "can_act": not association.has_ended,
        "budget": state.budget,
        "spent": state.spent,
        "manager": association.manager.user.email if association.manager else "",
    }


def who(actor: User | None, association: Association, *, by_provider: bool | None = None) -> str:
    """Return who acted: members by their address, the provider's staff without a name.

    `by_provider` is what the action's row says; without one counts what the actor is today.
    """
    if actor is None:
        return _("automatically")
    if actor.pk == association.account.owner_id:
        return _("the customer")
    if by_provider is None:
        return actor_name(actor)
    return str(settings.PROVIDER_NAME) if by_provider else actor.email


def freeze_row(freeze: Freeze, association: Association) -> dict[str, Any]:
    """Return the freeze as the pages list it."""
    frozen_by = who(freeze.frozen_by, association, by_provider=freeze.frozen_by_provider)
    is_by_joining = freeze.cause == FreezeCause.ASSOCIATION
    return {
        "cause": freeze.get_cause_display(),
        "scope": freeze.get_scope_display(),
        "frozen_at": freeze.frozen_at,
        "frozen_by": _("joining") if is_by_joining else frozen_by,
        "unfrozen_at": freeze.unfrozen_at,
        "unfrozen_by": who(
            freeze.unfrozen_by, association, by_provider=freeze.unfrozen_by_provider
        ),
        "reason": freeze.reason if partner_reads_reason(freeze, association) else "",
        "unfreeze_reason": freeze.unfreeze_reason,
    }


def why_frozen(rows: Sequence[FreezeRow], association: Association) -> list[dict[str, str]]:
    """Return why the account is frozen, in the partner's words."""
    lines = freeze_lines(rows, partner=association.partner, reader=Side.PARTNER)
    return [
        line if partner_reads_reason(row.freeze, association) else {**line, "reason": ""}
        for row, line in zip(rows, lines, strict=True)
    ]


def _budget_words(event: AuditEvent) -> str:
    after = event.after or {}
    period = dict(BudgetPeriod.choices).get(after.get("period", ""), "")
    amount = money(Decimal(after["amount"])) if "amount" in after else ""
    return _("Set a budget: %(amount)s, %(period)s") % {"amount": amount, "period": period}


def _freeze_words(event: AuditEvent) -> str:
    if (event.after or {}).get("scope") == FreezeScope.ACCOUNT_AND_RESOURCES:
        return _("Froze the account and its resources")
    return _("Froze the account")


# The audit events that the page shows, and their words.
WORDS: Mapping[str, Callable[[AuditEvent], str]] = {
    "budget.set": _budget_words,
    "freeze.opened": _freeze_words,
    "freeze.widened": lambda event: _("Froze the resources too"),
    "freeze.closed": lambda event: _("Lifted a freeze"),
    "association.renamed": lambda event: _("Changed the name, the reference or the note"),
    "association.address_revealed": lambda event: _("Saw the whole e-mail address"),
    "association.manager_changed": lambda event: _("Changed the manager"),
    "authorization.requested": lambda event: _("Asked for the authorization"),
    "end_request.made": lambda event: _("Asked to end the association"),
    "end_request.withdrawn": lambda event: _("Withdrew the request to end"),
    "end_request.agreed": lambda event: _("Agreed to end the association"),
    "end_request.declined": lambda event: _("Declined to end the association"),
    "association.ended": lambda event: _("Ended the association"),
}


def action_rows(actions: list[AuditEvent], association: Association) -> list[dict[str, Any]]:
    return [
        {
            "at": event.occurred_at,
            "who": who(event.actor, association),
            "what": WORDS[event.action](event),
            "reason": _reason(event),
        }
        for event in actions
        if event.action in WORDS
    ]


def _reason(event: AuditEvent) -> str:
    after = event.after or {}
    names = ("reason", "unfreeze_reason", "answer_reason")
    return next((str(after[name]) for name in names if after.get(name)), "")


def back_to(association: Association) -> dict[str, Any]:
    return {
        "back_url": reverse("console_customer", args=[association.pk]),
        "back_label": association.shown_name,
    }
