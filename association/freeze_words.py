"""What is written about a frozen account, to the customer and to the partner, by cause."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.enums import FreezeCause, FreezeScope
from accounts.models import Freeze
from association.enums import FrozenAction, Side
from association.models import Association
from association.services.freeze_advice import FreezeRow
from partners.models import Partner
from web.moments import moment_text
from web.templatetags.money import money

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# For the customer, for the partner. The reason that a person gave follows the sentence.
_BY_PROVIDER = (_("Frozen by %(provider)s on %(moment)s"),) * 2
_BY_PARTNER = (
    _("Frozen by %(partner)s on %(moment)s"),
    _("Frozen by your organisation on %(moment)s"),
)
_FOR_PARTNER = (
    _("Frozen by %(provider)s for %(partner)s on %(moment)s"),
    _("Frozen by %(provider)s for you on %(moment)s"),
)
_SENTENCES: "dict[tuple[str, str], tuple[StrOrPromise, StrOrPromise]]" = {
    (FreezeCause.ASSOCIATION, FrozenAction.SET_BUDGET): (
        _(
            "Frozen since %(moment)s, because you joined %(partner)s: it lasts until %(partner)s"
            " has set a budget and unfrozen your account"
        ),
        _("Frozen since %(moment)s by joining: it lasts until you set a budget and unfreeze it"),
    ),
    (FreezeCause.ASSOCIATION, FrozenAction.UNFREEZE): (
        _(
            "Frozen since %(moment)s, because you joined %(partner)s. The budget is set, and"
            " %(partner)s has not unfrozen your account yet"
        ),
        _("Frozen since %(moment)s by joining. The budget is set, and you have not unfrozen it"),
    ),
    (FreezeCause.BUDGET_EXHAUSTED, FrozenAction.RAISE_BUDGET): (
        _("Frozen since %(moment)s, because the budget is used up: %(used)s of %(amount)s"),
        _("Frozen since %(moment)s, because the budget is used up: %(used)s of %(amount)s"),
    ),
    (FreezeCause.BUDGET_EXHAUSTED, FrozenAction.UNFREEZE): (
        _(
            "Frozen since %(moment)s, because the budget was used up. Now %(used)s of %(amount)s"
            " is used, and %(partner)s has not unfrozen your account yet"
        ),
        _(
            "Frozen since %(moment)s, because the budget was used up. Now %(used)s of %(amount)s"
            " is used, and you have not unfrozen it"
        ),
    ),
}

_ACTIONS: "dict[FrozenAction, StrOrPromise]" = {
    FrozenAction.SET_BUDGET: _("Ask %(partner)s to set a budget"),
    FrozenAction.UNFREEZE: _("Ask %(partner)s to unfreeze your account"),
    FrozenAction.RAISE_BUDGET: _("Ask %(partner)s to raise the budget"),
    FrozenAction.CONTACT_PARTNER: _("Contact %(partner)s"),
    FrozenAction.CONTACT_PROVIDER: _("Contact the support of %(provider)s"),
}

# What the customer has asked for, after the ask.
ASKED: "dict[str, StrOrPromise]" = {
    FrozenAction.SET_BUDGET: _("%(partner)s has been asked to set a budget."),
    FrozenAction.UNFREEZE: _("%(partner)s has been asked to unfreeze your account."),
    FrozenAction.RAISE_BUDGET: _("%(partner)s has been asked to raise the budget."),
}


def action_label(action: FrozenAction, partner: Partner | None) -> str:
    """Return what the customer is offered; asking and the partner's contact need the partner."""
    return _ACTIONS[action] % _names(partner)


def freeze_lines(
    rows: Iterable[FreezeRow], *, partner: Partner | None, reader: Side
) -> list[dict[str, str]]:
    """Return a sentence (without its full stop) and the reason that was given, for each row.

    Plain text; moments are in the present time zone.
    """
    return [_freeze_line(row, partner, reader) for row in rows]


def partner_reads_reason(freeze: Freeze, association: Association) -> bool:
    """Whether the reason is for the partner: not one that the provider gave before its time."""
    is_the_providers = freeze.cause == FreezeCause.ADMINISTRATOR
    return not is_the_providers or freeze.frozen_at >= association.associated_at


def _freeze_line(row: FreezeRow, partner: Partner | None, reader: Side) -> dict[str, str]:
    freeze = row.freeze
    for_customer, for_partner = _sentences_for(row)
    values = _names(partner) | {
        "moment": moment_text(freeze.frozen_at),
        "used": money(row.used) if row.used is not None else "",
        "amount": money(row.budget.amount) if row.budget is not None else "",
    }
    sentence = for_customer if reader == Side.CUSTOMER else for_partner
    text = sentence % values
    if reader == Side.PARTNER and freeze.scope == FreezeScope.ACCOUNT_AND_RESOURCES:
        text = _("%(sentence)s, its resources too") % {"sentence": text}
    return {"sentence": text, "reason": freeze.reason}


def _sentences_for(row: FreezeRow) -> "tuple[StrOrPromise, StrOrPromise]":
    if row.freeze.cause == FreezeCause.ADMINISTRATOR:
        return _BY_PROVIDER
    if row.freeze.cause == FreezeCause.PARTNER:
        return _FOR_PARTNER if row.freeze.frozen_by_provider else _BY_PARTNER
    return _SENTENCES[row.freeze.cause, row.action]


def _names(partner: Partner | None) -> dict[str, Any]:
    return {"partner": partner.name if partner else "", "provider": settings.PROVIDER_NAME}
