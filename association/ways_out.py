"""Ways out of refusals: what the customer can do, with links where settings or pages allow them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from association.enums import EndObstacle, RefusalCode
from partners.models import Partner
from web.provider import support_url

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class Target(StrEnum):
    """Where a way out leads, beside the provider's own pages."""

    PAY = "pay"
    ENTERPRISE = "enterprise"
    CONSOLE = "console"
    SUPPORT = "support"
    END = "end"
    # A button of the Check page; the value is what it sends.
    REGISTER = "register"


LABELS: "Mapping[Target, StrOrPromise]" = {
    Target.PAY: _("Pay the bills"),
    Target.ENTERPRISE: _("Open the enterprise’s page"),
    Target.CONSOLE: _("Open the console of %(provider)s"),
    Target.SUPPORT: _("Contact the support of %(provider)s"),
    Target.END: _("Ask to end that association"),
    Target.REGISTER: _("Register a new account"),
}

_SETTINGS: Mapping[Target, str] = {
    Target.PAY: "PROVIDER_BILLING_URL",
    Target.ENTERPRISE: "PROVIDER_ENTERPRISE_URL",
    Target.CONSOLE: "PROVIDER_CONSOLE_URL",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WayOut:
    """A sentence, where it leads, and whether the partner's contact belongs beside it."""

    text: "StrOrPromise"
    target: Target | None = None
    asks_partner: bool = False


# Where the fact cannot be changed, so that only another account can join.
_NEW_ACCOUNT = WayOut(
    text=_(
        "This cannot be changed. Register a new account, with another e-mail address, and follow"
        " this invitation with it. Or talk to %(partner)s."
    ),
    target=Target.REGISTER,
    asks_partner=True,
)
_OTHER_ADDRESS = WayOut(
    text=_(
        "You need a new account with another e-mail address. This invitation is for this address"
        " only, so %(partner)s has to send it to another one."
    ),
    asks_partner=True,
)
_JOIN_BY_MASTER = WayOut(
    text=_(
        "Let the master account join instead. Or leave the enterprise, then press “Check again”."
    ),
    target=Target.ENTERPRISE,
)
_NEW_INVITATION = WayOut(text=_("Ask %(partner)s for a new invitation."), asks_partner=True)
_CUSTOMER_ACCOUNT = WayOut(text=_("Use a customer account."))
_ADDRESS_OF_CUSTOMER_ACCOUNT = WayOut(
    text=_(
        "Use a customer account. This invitation is for this address only, so %(partner)s has to"
        " send it to the address of that account."
    ),
    asks_partner=True,
)
_ADDRESS_OF_MASTER = WayOut(
    text=_(
        "Let the master account join instead. This invitation is for this address only, so"
        " %(partner)s has to send it to the address of the master account. Or leave the enterprise,"
        " then press “Check again”."
    ),
    target=Target.ENTERPRISE,
    asks_partner=True,
)
_ADDRESS_OR_SUPPORT = replace(_OTHER_ADDRESS, target=Target.SUPPORT)
# For an invitation to one address only, where another account has to follow it.
_TO_OTHER_ADDRESS: Mapping[str, WayOut] = {
    RefusalCode.CHINESE_MAINLAND_SITE: _OTHER_ADDRESS,
    RefusalCode.REGISTERED_TOO_LONG: _ADDRESS_OR_SUPPORT,
    RefusalCode.CASH_EXPENDITURE: _ADDRESS_OR_SUPPORT,
    RefusalCode.UNIFIED_ACCOUNTING_MEMBER: _ADDRESS_OF_MASTER,
    RefusalCode.ENTERPRISE_MEMBER: _ADDRESS_OF_MASTER,
    RefusalCode.IS_PARTNER: _ADDRESS_OF_CUSTOMER_ACCOUNT,
    RefusalCode.INTERNAL_ACCOUNT: _ADDRESS_OF_CUSTOMER_ACCOUNT,
}

WAYS_OUT: Mapping[str, WayOut] = {
    RefusalCode.CHINESE_MAINLAND_SITE: WayOut(
        text=_(
            "Register a new account, with another e-mail address, and follow this invitation with"
            " it."
        ),
        target=Target.REGISTER,
    ),
    RefusalCode.OTHER_PARTNER: WayOut(
        text=_(
            "Ask to end that association; the other partner has %(days)s days to answer. When it"
            " has ended, and while your account can still join, open the link of this invitation"
            " again."
        ),
        target=Target.END,
    ),
    RefusalCode.SPECIAL_CONTRACT: WayOut(text=_("Check again when the contract has ended.")),
    RefusalCode.REGISTERED_TOO_LONG: _NEW_ACCOUNT,
    RefusalCode.CASH_EXPENDITURE: _NEW_ACCOUNT,
    RefusalCode.UNPAID_BILLS: WayOut(
        text=_("Pay the bills of %(provider)s, then check again."), target=Target.PAY
    ),
    RefusalCode.UNIFIED_ACCOUNTING_MEMBER: _JOIN_BY_MASTER,
    RefusalCode.PROFESSIONAL_SERVICES_CONTRACT: WayOut(
        text=_(
            "Ask %(partner)s for a referral invitation, or check again when the contract has ended."
        ),
        asks_partner=True,
    ),
    RefusalCode.RESERVED_INSTANCES: WayOut(
        text=_("Unsubscribe from them, or wait until they have expired. Then check again."),
        target=Target.CONSOLE,
    ),
    RefusalCode.ENTERPRISE_MEMBER: _JOIN_BY_MASTER,
    RefusalCode.MASTER_WITH_INDEPENDENT_MEMBERS: WayOut(
        text=_("Remove these members, or turn them to unified accounting. Then check again."),
        target=Target.ENTERPRISE,
    ),
    RefusalCode.IS_PARTNER: _CUSTOMER_ACCOUNT,
    RefusalCode.INTERNAL_ACCOUNT: _CUSTOMER_ACCOUNT,
    RefusalCode.INVITATION_UNKNOWN: _NEW_INVITATION,
    RefusalCode.INVITATION_EXPIRED: _NEW_INVITATION,
    RefusalCode.INVITATION_USED_UP: _NEW_INVITATION,
    RefusalCode.INVITATION_REVOKED: _NEW_INVITATION,
    RefusalCode.PARTNER_UNAVAILABLE: WayOut(
        text=_("Ask %(partner)s when it will be possible again."), asks_partner=True
    ),
    RefusalCode.TYPE_NOT_ALLOWED: _NEW_INVITATION,
    RefusalCode.EXISTING_ACCOUNT_NOT_ALLOWED: WayOut(
        text=_("Ask %(partner)s for an online invitation, or register a new account.")
    ),
    RefusalCode.WRONG_RECIPIENT: WayOut(text=_("Log in with the account that has that address.")),
    RefusalCode.EMAIL_DOMAIN_NOT_ALLOWED: WayOut(
        text=_("Register a new account with such an address, or ask %(partner)s."),
        target=Target.REGISTER,
    ),
}

# For an account that an online invitation would not help.
NEW_ACCOUNT_ONLY = WayOut(
    text=_(
        "An online invitation would not help: this account cannot join at all, as the rules below"
        " say. Register a new account, with another e-mail address."
    ),
    target=Target.REGISTER,
)

# Where what refuses ends only after the account may join.
WAITING_IS_TOO_LATE: Mapping[str, WayOut] = {
    RefusalCode.SPECIAL_CONTRACT: WayOut(
        text=_(
            "The contract does not end while your account can still join. Talk to %(partner)s"
            " about it."
        ),
        target=Target.SUPPORT,
        asks_partner=True,
    ),
    RefusalCode.PROFESSIONAL_SERVICES_CONTRACT: WayOut(
        text=_(
            "Ask %(partner)s for a referral invitation. The contract does not end while your"
            " account can still join."
        ),
        asks_partner=True,
    ),
    RefusalCode.RESERVED_INSTANCES: WayOut(
        text=_(
            "Unsubscribe from them, then check again. They do not expire while your account can"
            " still join."
        ),
        target=Target.CONSOLE,
    ),
}

WAYS_TO_END: Mapping[EndObstacle, WayOut] = {
    EndObstacle.UNPAID_BILLS: WayOut(
        text=_("Pay the bills of %(provider)s, then open this page again."), target=Target.PAY
    ),
    EndObstacle.RESERVED_INSTANCES: WayOut(
        text=_("Unsubscribe from them, or wait until they have expired."), target=Target.CONSOLE
    ),
    EndObstacle.ADMINISTRATOR_FREEZE: WayOut(
        text=_("Only %(provider)s can lift this freeze: ask its support."), target=Target.SUPPORT
    ),
}


def way_out(code: str, *, is_bound: bool, ends_too_late: bool = False) -> WayOut:
    """Return the way out of one refusal.

    `is_bound`: the invitation is for one address only. `ends_too_late`: what refuses ends only
    after the account may join.
    """
    own = WAYS_OUT[code]
    if ends_too_late:
        return WAITING_IS_TOO_LATE.get(code, own)
    return _TO_OTHER_ADDRESS.get(code, own) if is_bound else own


def shown_way(way: WayOut, partner: Partner) -> dict[str, object]:
    """Return what `association/_way_out.html` shows. A link without a setting is left out."""
    names = {
        "provider": settings.PROVIDER_NAME,
        "partner": partner.name,
        "days": settings.END_REQUEST_DAYS,
    }
    target, is_button = _reachable(way.target), way.target == Target.REGISTER
    url = "" if target is None or is_button else url_of(target)
    return {
        "text": way.text % names,
        "label": LABELS[target] % names if target and (url or is_button) else "",
        "url": url,
        "button": target if is_button else None,
        "asks_partner": way.asks_partner,
    }


def _reachable(target: Target | None) -> Target | None:
    """Return where to go: the provider's support stands in for a page that no setting names."""
    if target is not None and target in _SETTINGS and not url_of(target):
        return Target.SUPPORT
    return target


def way_as_text(way: WayOut, partner: Partner) -> str:
    """Return the way out for an e-mail that the partner itself writes: links are written out."""
    shown = shown_way(way, partner)
    text, label, url = (str(shown[name]) for name in ("text", "label", "url"))
    if not url:
        return text
    if url.startswith("/"):
        url = f"{settings.PUBLIC_BASE_URL}{url}"
    return f"{text} {label}: {url.removeprefix('mailto:')}"


def url_of(target: Target) -> str:
    """Return the address of a page of ours or of the provider, "" where no setting names it."""
    if target == Target.END:
        return reverse("my_end")
    if target == Target.SUPPORT:
        return support_url()
    url: str = getattr(settings, _SETTINGS[target])
    return url
