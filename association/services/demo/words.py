"""What is said about each part of the demo: one line on what it shows."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from association.services.demo.cast import ELIGIBLE, ELIGIBLE_NOT_ENABLED
from association.services.refusal_texts import customer_reason

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

INVITATION_TITLES: Mapping[str, "StrOrPromise"] = {
    "reseller_link": _("Reseller, by link and QR code"),
    "reseller_email": _("Reseller, by e-mail"),
    "referral_link": _("Referral, by link and QR code"),
    "referral_email": _("Referral, by e-mail"),
    "expired": _("Expired"),
    "revoked": _("Revoked"),
    "used_up": _("Used up"),
}
_INVITATION_LINES: Mapping[str, "StrOrPromise"] = {
    "reseller_link": _("For new accounts. The account is frozen until the partner sets a budget."),
    "reseller_email": _("For a new or an existing account, once. The account is frozen too."),
    "referral_link": _("For new accounts. Nothing is frozen."),
    "referral_email": _("For a new or an existing account, once. Nothing is frozen."),
    "expired": _("What a visitor sees who comes too late."),
    "revoked": _("What a visitor sees when the partner has taken the invitation back."),
    "used_up": _("What a visitor sees when all places are taken."),
}
_ACCOUNT_TITLES: Mapping[str, "StrOrPromise"] = {
    ELIGIBLE: _("An account that can join"),
    ELIGIBLE_NOT_ENABLED: _("An account without services"),
}
_ACCOUNT_LINES: Mapping[str, "StrOrPromise"] = {
    ELIGIBLE: _("It sees what will happen to its coupons and resources, and associates."),
    ELIGIBLE_NOT_ENABLED: _("It enables its services and associates, or does so later."),
}


def invitation_line(key: str) -> str:
    """Return what following this invitation shows."""
    return str(_INVITATION_LINES[key])


def account_title(name: str) -> str:
    """Return what kind of account this is; the refused ones are known by their code."""
    return str(_ACCOUNT_TITLES.get(name, name))


def account_line(name: str) -> str:
    """Return what this account sees; a refused one the reason that it will be told."""
    line = _ACCOUNT_LINES.get(name)
    return customer_reason(name) if line is None else str(line)
