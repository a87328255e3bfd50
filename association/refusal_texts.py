"""What the customer and the partner read about what refuses an account or an invitation.

What the customer reads can name the provider and the customer's own facts. What the partner reads
has nothing filled in, so no amount, date or name can reach a partner through it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import TextChoices
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.enums import Accounting, ContractType, MemberType
from association.enums import (
    RefusalCode,
)
from association.services.eligibility import Check, Refusal
from web.moments import local_moment
from web.templatetags.money import money

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalText:
    """What is written about one code; the title names the rule by what it asks for."""

    title: "StrOrPromise"
    customer: "StrOrPromise"
    fact: "StrOrPromise"
    partner: "StrOrPromise"
    suggested_operation: "StrOrPromise"


CONTRACT_FACT = ngettext_lazy(
    "In force: %(contract_type)s. End date: %(ends_at)s.",
    "In force: %(count)d contracts. The last to end: %(contract_type)s. End date: %(ends_at)s.",
    "count",
)
MEMBERSHIP_FACT = _("Your account in the enterprise: %(member_type)s, %(accounting)s.")
_NEW_ACCOUNT = _(
    "The customer needs a new account, registered from the same invitation. If that is for one"
    " address only, send it to another address."
)

ACCOUNT_TEXTS: dict[str, RefusalText] = {
    RefusalCode.CHINESE_MAINLAND_SITE: RefusalText(
        title=_("The account was registered on the international site"),
        customer=_("Accounts of the Chinese mainland site cannot join a partner here."),
        fact=_("Your account was registered on the Chinese mainland site."),
        partner=_("The account was registered on the Chinese mainland site."),
        suggested_operation=_NEW_ACCOUNT,
    ),
    RefusalCode.OTHER_PARTNER: RefusalText(
        title=_("The account has no other partner"),
        customer=_("An account can work with one partner at a time."),
        fact=_("Your account is associated with another partner."),
        partner=_("The account is associated with another partner."),
        suggested_operation=_("Ask the customer to end that association first."),
    ),
    RefusalCode.SPECIAL_CONTRACT: RefusalText(
        title=_("Every special contract has ended"),
        customer=_("You have a special contract with %(provider)s that is still in force."),
        fact=CONTRACT_FACT,
        partner=_("The customer has a special contract with the provider."),
        suggested_operation=_("Ask the customer to apply again when the contract has ended."),
    ),
    RefusalCode.REGISTERED_TOO_LONG: RefusalText(
        title=_("The account was registered within the last seven days"),
        customer=_("An account can join in the first seven days after it was registered."),
        fact=_("Registered: %(registered_at)s. The seven days ended: %(joinable_until)s."),
        partner=_("The account was registered more than seven days ago."),
        suggested_operation=_NEW_ACCOUNT,
    ),
    RefusalCode.CASH_EXPENDITURE: RefusalText(
        title=_("The account has paid nothing in cash"),
        customer=_("An account that has paid in cash cannot join. Coupons do not count as cash."),
        fact=_("Largest amount paid in cash: %(largest_amount)s."),
        partner=_("The account has paid in cash."),
        suggested_operation=_NEW_ACCOUNT,
    ),
    RefusalCode.UNPAID_BILLS: RefusalText(
        title=_("All bills are paid"),
        customer=_("All bills must be paid, also those that are not due yet."),
        fact=ngettext_lazy(
            "%(count)d unpaid bill, %(outstanding)s in total.",
            "%(count)d unpaid bills, %(outstanding)s in total.",
            "count",
        ),
        partner=_("The account has unpaid bills."),
        suggested_operation=_("Ask the customer to pay and then to check again."),
    ),
    RefusalCode.UNIFIED_ACCOUNTING_MEMBER: RefusalText(
        title=_("The account pays its own bills"),
        customer=_("The bills of this account go to its enterprise master account."),
        fact=MEMBERSHIP_FACT,
        partner=_("The account belongs to an enterprise with unified accounting."),
        suggested_operation=_(
            "Ask the customer to join with the enterprise master account. If the invitation is for"
            " one address only, send it to another address."
        ),
    ),
    RefusalCode.PROFESSIONAL_SERVICES_CONTRACT: RefusalText(
        title=_("Every professional services contract has ended"),
        customer=_("You have a professional services contract with %(provider)s."),
        fact=CONTRACT_FACT,
        partner=_("The customer has a professional services contract with the provider."),
        suggested_operation=_("Offer the customer the referral type."),
    ),
    RefusalCode.RESERVED_INSTANCES: RefusalText(
        title=_("All reserved instances have expired or were cancelled"),
        customer=_("An account with valid reserved instances cannot join a reseller."),
        fact=ngettext_lazy(
            "%(count)d reserved instance. It expires: %(last_expires_at)s.",
            "%(count)d reserved instances. The last one expires: %(last_expires_at)s.",
            "count",
        ),
        partner=_("The account has valid reserved instances."),
        suggested_operation=_(
            "Ask the customer to unsubscribe or to wait, or offer the referral type."
        ),
    ),
    RefusalCode.ENTERPRISE_MEMBER: RefusalText(
        title=_("The account is not a member of an enterprise"),
        customer=_("A member account of an enterprise cannot join a reseller."),
        fact=MEMBERSHIP_FACT,
        partner=_("The account is a member of an enterprise."),
        suggested_operation=_(
            "Ask the customer to join with the master account, or offer the referral type."
        ),
    ),
    RefusalCode.MASTER_WITH_INDEPENDENT_MEMBERS: RefusalText(
        title=_("All members of the enterprise have unified accounting"),
        customer=_("Members of your enterprise pay their own bills."),
        fact=ngettext_lazy(
            "%(count)d member with independent accounting.",
            "%(count)d members with independent accounting.",
            "count",
        ),
        partner=_("The account is an enterprise master whose members pay their own bills."),
        suggested_operation=_(
            "Ask the customer to turn them to unified accounting, or offer the referral type."
        ),
    ),
    RefusalCode.IS_PARTNER: RefusalText(
        title=_("The owner of the account acts for no partner"),
        customer=_("Someone who acts for a partner cannot join as a customer."),
        fact=_("The owner of this account is a member of a partner."),
        partner=_("The owner of the account is a member of a partner."),
        suggested_operation=_(
            "Ask the customer to use a customer account. If the invitation is for one address only,"
            " send it to another address."
        ),
    ),
    RefusalCode.INTERNAL_ACCOUNT: RefusalText(
        title=_("The account belongs to a customer"),
        customer=_("The provider's own accounts cannot join a partner."),
        fact=_("This account belongs to %(provider)s."),
        partner=_("The account belongs to the provider."),
        suggested_operation=_(
            "Ask the customer to use a customer account. If the invitation is for one address only,"
            " send it to another address."
        ),
    ),
}

INVITATION_TEXTS: dict[str, RefusalText] = {
    RefusalCode.INVITATION_UNKNOWN: RefusalText(
        title=_("The invitation exists"),
        customer=_("We do not know this invitation."),
        fact=_("No invitation has this address."),
        partner=_("The customer followed an address that is no invitation."),
        suggested_operation=_("Send the customer an online invitation."),
    ),
    RefusalCode.INVITATION_EXPIRED: RefusalText(
        title=_("The invitation has not expired"),
        customer=_("This invitation has expired."),
        fact=_("Its last day has passed."),
        partner=_("The invitation has expired."),
        suggested_operation=_("Send the invitation again, or set a later date."),
    ),
    RefusalCode.INVITATION_USED_UP: RefusalText(
        title=_("The invitation can still be used"),
        customer=_("This invitation has been used up."),
        fact=_("It was used as often as it can be."),
        partner=_("The invitation has been used up."),
        suggested_operation=_("Send the customer an online invitation."),
    ),
    RefusalCode.INVITATION_REVOKED: RefusalText(
        title=_("The invitation has not been revoked"),
        customer=_("The partner has taken this invitation back."),
        fact=_("It can no longer be used."),
        partner=_("The invitation has been revoked."),
        suggested_operation=_("Send the customer an online invitation."),
    ),
    RefusalCode.PARTNER_UNAVAILABLE: RefusalText(
        title=_("The partner can take new customers"),
        customer=_("This partner cannot take new customers at the moment."),
        fact=_("None of the partner's invitations can be used until this changes."),
        partner=_("The partner is frozen and cannot take new customers."),
        suggested_operation=_("Talk to the provider."),
    ),
    RefusalCode.TYPE_NOT_ALLOWED: RefusalText(
        title=_("The partner may offer this association type"),
        customer=_("This partner may not offer this type of association."),
        fact=_("The invitation is for a type that the partner does not have."),
        partner=_("You may not offer the association type of this invitation."),
        suggested_operation=_("Send the customer an online invitation of another type."),
    ),
    RefusalCode.EXISTING_ACCOUNT_NOT_ALLOWED: RefusalText(
        title=_("The invitation is for this kind of account"),
        customer=_("This invitation is for new accounts only."),
        fact=_("Your account was not registered through an invitation, or has joined before."),
        partner=_("The customer has an existing account, and the link is for new accounts."),
        suggested_operation=_("Send the customer an online invitation."),
    ),
    RefusalCode.WRONG_RECIPIENT: RefusalText(
        title=_("The invitation was sent to this account"),
        customer=_("This invitation was sent to someone else."),
        fact=_("Your account has another e-mail address than the invitation."),
        partner=_("The customer's e-mail address is not the one you invited."),
        suggested_operation=_("Send an online invitation to the address the customer uses."),
    ),
    RefusalCode.EMAIL_DOMAIN_NOT_ALLOWED: RefusalText(
        title=_("The invitation is for addresses like yours"),
        customer=_("This invitation is for e-mail addresses of certain organisations only."),
        fact=_("Your account's address is at another domain."),
        partner=_("The customer's e-mail address is not in a domain that the link allows."),
        suggested_operation=_("Send the customer an online invitation."),
    ),
}

REFUSAL_TEXTS: Mapping[str, RefusalText] = ACCOUNT_TEXTS | INVITATION_TEXTS

# What the partner can do where what refuses ends only after the account may join.
_TOO_LATE_TO_WAIT: "Mapping[str, StrOrPromise]" = {
    RefusalCode.SPECIAL_CONTRACT: _(
        "The contract does not end while the account can still join. Talk to the customer and the"
        " provider about it."
    ),
    RefusalCode.RESERVED_INSTANCES: _(
        "Ask the customer to unsubscribe, or offer the referral type. They do not expire while the"
        " account can still join."
    ),
}


def text_for_partner(code: str, *, ends_too_late: bool) -> RefusalText:
    """Return the texts of a refusal; `ends_too_late` is what `way_out()` takes too."""
    text = REFUSAL_TEXTS[code]
    if not ends_too_late:
        return text
    operation = _TOO_LATE_TO_WAIT.get(code, text.suggested_operation)
    return replace(text, suggested_operation=operation)


def check_line(check: Check) -> dict[str, Any]:
    """Return one line of the customer's check; the last two are empty when the rule passed."""
    refusal = check.refusal
    return {
        "code": check.code,
        "passed": refusal is None,
        "title": str(REFUSAL_TEXTS[check.code].title),
        "reason": "" if refusal is None else customer_reason(check.code),
        "fact": "" if refusal is None else fact_text(refusal),
    }


def customer_reason(code: str) -> str:
    return REFUSAL_TEXTS[code].customer % {"provider": settings.PROVIDER_NAME}


def fact_text(refusal: Refusal) -> str:
    """Return the customer's own fact."""
    return REFUSAL_TEXTS[refusal.code].fact % fill_in(refusal.evidence)


def fill_in(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a sentence needs, with dates and money as the reader writes them."""
    shown = {
        name: FORMATS[name](value) if name in FORMATS else value for name, value in evidence.items()
    }
    return {"provider": settings.PROVIDER_NAME, **shown}


def _moment(value: str | None) -> str:
    if value is None:
        return gettext("not set")
    moment = local_moment(datetime.fromisoformat(value))
    return f"{date_format(moment, 'DATETIME_FORMAT')} {date_format(moment, 'T')}"


def _label(choices: type[TextChoices]) -> Callable[[str], object]:
    return lambda value: dict(choices.choices).get(value, value)


# How a piece of evidence is shown, by its name; the others are shown as they are.
FORMATS: Mapping[str, Callable[[Any], object]] = {
    "contract_type": _label(ContractType),
    "accounting": _label(Accounting),
    "member_type": _label(MemberType),
    "registered_at": _moment,
    "joinable_until": _moment,
    "ends_at": _moment,
    "frozen_at": _moment,
    "last_expires_at": _moment,
    "largest_amount": lambda value: money(Decimal(value)),
    "outstanding": lambda value: money(Decimal(value)),
}
