"""The sentences for a refusal: what the customer reads about it, and what the partner reads.

The customer's texts may hold the provider's name and the evidence. The partner's hold nothing that
is filled in, so no amount, date or name can reach a partner through them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import TextChoices
from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.enums import Accounting, ContractType, MemberType
from association.enums import Operation, RefusalCode
from association.services.eligibility import Check, Refusal

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalText:
    """All that is said about one code; the title names the rule by what it asks for."""

    title: "StrOrPromise"
    customer: "StrOrPromise"
    fact: "StrOrPromise"
    way_out: "StrOrPromise"
    partner: "StrOrPromise"
    suggested_operation: "StrOrPromise"
    operation: Operation | None


CONTRACT_FACT = ngettext_lazy(
    "In force: %(contract_type)s. End date: %(ends_at)s.",
    "In force: %(count)d contracts. The last to end: %(contract_type)s. End date: %(ends_at)s.",
    "count",
)
MEMBERSHIP_FACT = _("Your account in the enterprise: %(member_type)s, %(accounting)s.")

ACCOUNT_TEXTS: dict[str, RefusalText] = {
    RefusalCode.CHINESE_MAINLAND_SITE: RefusalText(
        title=_("Registered on the international site"),
        customer=_("Accounts of the Chinese mainland site cannot join a partner here."),
        fact=_("Your account was registered on the Chinese mainland site."),
        way_out=_("Register a new account from the same invitation."),
        partner=_("The account was registered on the Chinese mainland site."),
        suggested_operation=_(
            "Ask the customer to register a new account from the same invitation."
        ),
        operation=Operation.MESSAGE_CUSTOMER,
    ),
    RefusalCode.OTHER_PARTNER: RefusalText(
        title=_("Not associated with another partner"),
        customer=_("An account can work with one partner at a time."),
        fact=_("Your account is associated with another partner."),
        way_out=_(
            "Ask that partner or %(provider)s to end the association, then open this link again."
        ),
        partner=_("The account is associated with another partner."),
        suggested_operation=_("Ask the customer to end that association first."),
        operation=Operation.MESSAGE_CUSTOMER,
    ),
    RefusalCode.SPECIAL_CONTRACT: RefusalText(
        title=_("No special contract in force"),
        customer=_("You have a special contract with %(provider)s that is still in force."),
        fact=CONTRACT_FACT,
        way_out=_("Apply again when the contract has ended."),
        partner=_("The customer has a special contract with the provider."),
        suggested_operation=_("Ask the customer to apply again when the contract has ended."),
        operation=Operation.MESSAGE_CUSTOMER,
    ),
    RefusalCode.REGISTERED_TOO_LONG: RefusalText(
        title=_("Registered within the last seven days"),
        customer=_("An account can join in the first seven days after it was registered."),
        fact=_("Registered: %(registered_at)s. The seven days ended: %(joinable_until)s."),
        way_out=_("Contact the partner or %(provider)s support."),
        partner=_("The account was registered more than seven days ago."),
        suggested_operation=_("Talk to the customer, or contact the provider's support."),
        operation=Operation.MESSAGE_CUSTOMER,
    ),
    RefusalCode.CASH_EXPENDITURE: RefusalText(
        title=_("Nothing paid in cash so far"),
        customer=_("An account that has paid in cash cannot join. Coupons do not count as cash."),
        fact=_("Largest amount paid in cash: %(largest_amount)s."),
        way_out=_("Contact the partner or %(provider)s support."),
        partner=_("The account has paid in cash."),
        suggested_operation=_("Talk to the customer, or contact the provider's support."),
        operation=Operation.MESSAGE_CUSTOMER,
    ),
    RefusalCode.UNPAID_BILLS: RefusalText(
        title=_("No unpaid bills"),
        customer=_("All bills must be paid, also those that are not due yet."),
        fact=ngettext_lazy(
            "%(count)d unpaid bill, %(outstanding)s in total.",
            "%(count)d unpaid bills, %(outstanding)s in total.",
            "count",
        ),
        way_out=_("Pay, then check again."),
        partner=_("The account has unpaid bills."),
        suggested_operation=_("Ask the customer to pay and then to check again."),
        operation=Operation.MESSAGE_CUSTOMER,
    ),
    RefusalCode.UNIFIED_ACCOUNTING_MEMBER: RefusalText(
        title=_("Not a member of an enterprise with unified accounting"),
        customer=_("The bills of this account go to its enterprise master account."),
        fact=MEMBERSHIP_FACT,
        way_out=_("Let the master account join, or leave it."),
        partner=_("The account belongs to an enterprise with unified accounting."),
        suggested_operation=_("Ask the customer to join with the enterprise master account."),
        operation=Operation.MESSAGE_CUSTOMER,
    ),
    RefusalCode.PROFESSIONAL_SERVICES_CONTRACT: RefusalText(
        title=_("No professional services contract in force"),
        customer=_("You have a professional services contract with %(provider)s."),
        fact=CONTRACT_FACT,
        way_out=_(
            "Ask the partner for a referral invitation, or apply again when the contract has ended."
        ),
        partner=_("The customer has a professional services contract with the provider."),
        suggested_operation=_("Offer the customer the referral type."),
        operation=Operation.OFFER_REFERRAL,
    ),
    RefusalCode.RESERVED_INSTANCES: RefusalText(
        title=_("No valid reserved instances"),
        customer=_("An account with valid reserved instances cannot join a reseller."),
        fact=ngettext_lazy(
            "%(count)d reserved instance. It expires: %(last_expires_at)s.",
            "%(count)d reserved instances. The last one expires: %(last_expires_at)s.",
            "count",
        ),
        way_out=_("Unsubscribe from them, or wait until they have expired."),
        partner=_("The account has valid reserved instances."),
        suggested_operation=_(
            "Ask the customer to unsubscribe or to wait, or offer the referral type."
        ),
        operation=Operation.OFFER_REFERRAL,
    ),
    RefusalCode.ENTERPRISE_MEMBER: RefusalText(
        title=_("Not a member of an enterprise"),
        customer=_("A member account of an enterprise cannot join a reseller."),
        fact=MEMBERSHIP_FACT,
        way_out=_("Let the master account join, or leave it."),
        partner=_("The account is a member of an enterprise."),
        suggested_operation=_(
            "Ask the customer to join with the master account, or offer the referral type."
        ),
        operation=Operation.OFFER_REFERRAL,
    ),
    RefusalCode.MASTER_WITH_INDEPENDENT_MEMBERS: RefusalText(
        title=_("No enterprise members with independent accounting"),
        customer=_("Members of your enterprise pay their own bills."),
        fact=ngettext_lazy(
            "%(count)d member with independent accounting.",
            "%(count)d members with independent accounting.",
            "count",
        ),
        way_out=_("Remove these members, or turn them to unified accounting."),
        partner=_("The account is an enterprise master whose members pay their own bills."),
        suggested_operation=_(
            "Ask the customer to turn them to unified accounting, or offer the referral type."
        ),
        operation=Operation.OFFER_REFERRAL,
    ),
    RefusalCode.IS_PARTNER: RefusalText(
        title=_("Not the account of a partner"),
        customer=_("Someone who acts for a partner cannot join as a customer."),
        fact=_("The owner of this account is a member of a partner."),
        way_out=_("Use a customer account."),
        partner=_("The owner of the account is a member of a partner."),
        suggested_operation=_("Ask the customer to use a customer account."),
        operation=Operation.MESSAGE_CUSTOMER,
    ),
    RefusalCode.INTERNAL_ACCOUNT: RefusalText(
        title=_("Not an account of the provider"),
        customer=_("The provider's own accounts cannot join a partner."),
        fact=_("This account belongs to %(provider)s."),
        way_out=_("Use a customer account."),
        partner=_("The account belongs to the provider."),
        suggested_operation=_("Ask the customer to use a customer account."),
        operation=Operation.MESSAGE_CUSTOMER,
    ),
}

INVITATION_TEXTS: dict[str, RefusalText] = {
    RefusalCode.INVITATION_UNKNOWN: RefusalText(
        title=_("The invitation exists"),
        customer=_("We do not know this invitation."),
        fact=_("No invitation has this address."),
        way_out=_("Check the address, or ask the partner for a new invitation."),
        partner=_("The customer followed an address that is no invitation."),
        suggested_operation=_("Send the customer an online invitation."),
        operation=Operation.SEND_ONLINE_INVITATION,
    ),
    RefusalCode.INVITATION_EXPIRED: RefusalText(
        title=_("The invitation has not expired"),
        customer=_("This invitation has expired."),
        fact=_("Its last day has passed."),
        way_out=_("Ask the partner for a new invitation."),
        partner=_("The invitation has expired."),
        suggested_operation=_("Send the invitation again, or set a later date."),
        operation=Operation.RESEND,
    ),
    RefusalCode.INVITATION_USED_UP: RefusalText(
        title=_("The invitation can still be used"),
        customer=_("This invitation has been used up."),
        fact=_("It was used as often as it can be."),
        way_out=_("Ask the partner for a new invitation."),
        partner=_("The invitation has been used up."),
        suggested_operation=_("Send the customer an online invitation."),
        operation=Operation.SEND_ONLINE_INVITATION,
    ),
    RefusalCode.INVITATION_REVOKED: RefusalText(
        title=_("The invitation has not been revoked"),
        customer=_("The partner has taken this invitation back."),
        fact=_("It can no longer be used."),
        way_out=_("Ask the partner for a new invitation."),
        partner=_("The invitation has been revoked."),
        suggested_operation=_("Send the customer an online invitation."),
        operation=Operation.SEND_ONLINE_INVITATION,
    ),
    RefusalCode.PARTNER_UNAVAILABLE: RefusalText(
        title=_("The partner can take new customers"),
        customer=_("This partner cannot take new customers at the moment."),
        fact=_("None of the partner's invitations can be used until this changes."),
        way_out=_("Contact the partner, and ask for a new invitation later."),
        partner=_("You cannot take new customers while you are frozen as a partner."),
        suggested_operation=_("Contact the provider's support."),
        operation=None,
    ),
    RefusalCode.TYPE_NOT_ALLOWED: RefusalText(
        title=_("The partner may offer this association type"),
        customer=_("This partner may not offer this type of association."),
        fact=_("The invitation is for a type that the partner does not have."),
        way_out=_("Ask the partner for another invitation."),
        partner=_("You may not offer the association type of this invitation."),
        suggested_operation=_("Send the customer an online invitation of another type."),
        operation=Operation.SEND_ONLINE_INVITATION,
    ),
    RefusalCode.EXISTING_ACCOUNT_NOT_ALLOWED: RefusalText(
        title=_("The invitation is for this kind of account"),
        customer=_("This invitation is for new accounts only."),
        fact=_("Your account was not registered through an invitation, or has joined before."),
        way_out=_("Ask the partner for an online invitation, or register a new account."),
        partner=_("The customer has an existing account, and the link is for new accounts."),
        suggested_operation=_("Send the customer an online invitation."),
        operation=Operation.SEND_ONLINE_INVITATION,
    ),
    RefusalCode.WRONG_RECIPIENT: RefusalText(
        title=_("The invitation was sent to this account"),
        customer=_("This invitation was sent to someone else."),
        fact=_("Your account has another e-mail address than the invitation."),
        way_out=_("Use another account."),
        partner=_("The customer's e-mail address is not the one you invited."),
        suggested_operation=_("Send an online invitation to the address the customer uses."),
        operation=Operation.SEND_ONLINE_INVITATION,
    ),
}

REFUSAL_TEXTS: Mapping[str, RefusalText] = MappingProxyType(ACCOUNT_TEXTS | INVITATION_TEXTS)


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One line of the customer's check; the last three are empty when the rule passed."""

    code: str
    passed: bool
    title: str
    reason: str = ""
    fact: str = ""
    way_out: str = ""


def check_line(check: Check) -> CheckLine:
    """What the customer reads about one rule, in the active language."""
    title = str(REFUSAL_TEXTS[check.code].title)
    if check.refusal is None:
        return CheckLine(check.code, passed=True, title=title)
    return CheckLine(
        check.code,
        passed=False,
        title=title,
        reason=customer_reason(check.code),
        fact=fact_text(check.refusal),
        way_out=way_out(check.code),
    )


def customer_reason(code: str) -> str:
    """Why not, in one sentence for the customer."""
    return REFUSAL_TEXTS[code].customer % _provider()


def way_out(code: str) -> str:
    """What the customer can do about it."""
    return REFUSAL_TEXTS[code].way_out % _provider()


def fact_text(refusal: Refusal) -> str:
    """The customer's own fact behind the refusal, dates and money as the reader writes them."""
    shown = {key: _shown(key, value) for key, value in refusal.evidence.items()}
    return REFUSAL_TEXTS[refusal.code].fact % (_provider() | shown)


def _provider() -> dict[str, object]:
    return {"provider": settings.PROVIDER_NAME}


def _shown(key: str, value: object) -> object:
    return FORMATS[key](value) if key in FORMATS else value


def _moment(value: str | None) -> str:
    if value is None:
        return gettext("not set")
    moment = localtime(datetime.fromisoformat(value))
    return f"{date_format(moment, 'DATETIME_FORMAT')} {date_format(moment, 'T')}"


def _money(value: str) -> str:
    amount = number_format(Decimal(value), decimal_pos=2, force_grouping=True)
    return f"{amount}\N{NO-BREAK SPACE}{settings.CURRENCY}"


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
    "last_expires_at": _moment,
    "largest_amount": _money,
    "outstanding": _money,
}
