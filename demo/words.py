"""What is said about each part of the demo: one line on what it shows."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from association.enums import RefusalCode
from association.services.refusal_texts import customer_reason
from demo.cast import ELIGIBLE, ELIGIBLE_NOT_ENABLED

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
    RefusalCode.CHINESE_MAINLAND_SITE: _("Registered on the Chinese mainland site"),
    RefusalCode.OTHER_PARTNER: _("Customer of another partner"),
    RefusalCode.SPECIAL_CONTRACT: _("Under a special contract"),
    RefusalCode.REGISTERED_TOO_LONG: _("Registered a month ago"),
    RefusalCode.CASH_EXPENDITURE: _("Has paid in cash"),
    RefusalCode.UNPAID_BILLS: _("Owes a bill"),
    RefusalCode.UNIFIED_ACCOUNTING_MEMBER: _("Member of an enterprise that pays for it"),
    RefusalCode.PROFESSIONAL_SERVICES_CONTRACT: _("Under a professional services contract"),
    RefusalCode.RESERVED_INSTANCES: _("Holds a reserved instance"),
    RefusalCode.ENTERPRISE_MEMBER: _("Member of an enterprise, paying for itself"),
    RefusalCode.MASTER_WITH_INDEPENDENT_MEMBERS: _("Master of an enterprise"),
    RefusalCode.IS_PARTNER: _("Works for a partner"),
    RefusalCode.INTERNAL_ACCOUNT: _("Belongs to the provider"),
}
_ACCOUNT_LINES: Mapping[str, "StrOrPromise"] = {
    ELIGIBLE: _("It sees what will happen to its coupons and resources, and associates."),
    ELIGIBLE_NOT_ENABLED: _("It enables its services and associates, or does so later."),
}


def invitation_line(key: str) -> str:
    """Return what following this invitation shows."""
    return str(_INVITATION_LINES[key])


def account_title(name: str) -> str:
    """Return in a few words what is special about this account."""
    return str(_ACCOUNT_TITLES[name])


def account_line(name: str) -> str:
    """Return what this account sees; a refused one the reason that it will be told."""
    line = _ACCOUNT_LINES.get(name)
    return customer_reason(name) if line is None else str(line)
