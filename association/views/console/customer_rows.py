"""What the console's tables and lists show of a customer: the state, and who did what."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.enums import FreezeCause
from accounts.models import Freeze, User
from association.enums import CustomerStatus, Side
from association.freeze_words import freeze_lines, partner_reads_reason
from association.models import Association
from association.services.customer_lists import CustomerState
from association.services.freeze_advice import FreezeRow
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
        "frozen_by": ", ".join(dict.fromkeys(frozen_by(freeze) for freeze in state.freezes)),
        "ended_at": association.ended_at,
        "end_reason": association.end_reason,
        "can_budget": association.is_reseller and not association.has_ended,
        "can_act": not association.has_ended,
        "budget": state.budget,
        "spent": state.spent,
        "manager": association.manager.user.email if association.manager else "",
    }


def frozen_by(freeze: Freeze) -> str:
    """Return in a word or two what or who froze the account."""
    provider = {"provider": settings.PROVIDER_NAME}
    match freeze.cause:
        case FreezeCause.ASSOCIATION:
            return _("by joining")
        case FreezeCause.BUDGET_EXHAUSTED:
            return _("by the budget")
        case FreezeCause.PARTNER if not freeze.frozen_by_provider:
            return _("by you")
        case FreezeCause.PARTNER:
            return _("by %(provider)s for you") % provider
    return _("by %(provider)s") % provider


def who(actor: User | None, association: Association, *, by_provider: bool | None = None) -> str:
    """Return who acted, as `actor_name()` does, or that it was the customer or nobody."""
    if actor is None:
        return _("automatically")
    if actor.pk == association.account.owner_id:
        return _("the customer")
    return actor_name(actor, by_provider=by_provider)


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


def back_to(association: Association) -> dict[str, Any]:
    return {
        "back_url": reverse("console_customer", args=[association.pk]),
        "back_label": association.shown_name,
    }
