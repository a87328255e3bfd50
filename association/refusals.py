"""The sentences for what association refuses, and for what refuses an account.

What the customer reads can name the provider and the customer's own facts. What the partner reads
has nothing filled in, so no amount, date or name can reach a partner through it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import TextChoices
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.enums import Accounting, ContractType, MemberType
from association.enums import (
    AssociationRefusal,
    DocumentRefusal,
    ErasureRefusal,
    JourneyRefusal,
    RefusalCode,
)
from association.services.eligibility import Check, Refusal
from partners.refusals import sentence_for as invitation_sentence_for
from web.refused import Refused
from web.templatetags.money import money
from web.versioned_forms import clock_text, next_minute

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SENTENCES: "dict[StrEnum, StrOrPromise]" = {
    AssociationRefusal.ENDED: _("This association has ended."),
    AssociationRefusal.NOT_OWNER: _("Only the owner of the account can decide this."),
    AssociationRefusal.NOT_RESELLER: _(
        "Only reseller customers are frozen and unfrozen by their partner, and have a budget."
    ),
    AssociationRefusal.NOT_A_MEMBER: _("Only a member of the partner can manage its customers."),
    AssociationRefusal.NOT_AN_ADMINISTRATOR: _("Only administrators assign managers."),
    AssociationRefusal.NOTHING_TO_LIFT: _("It has no freeze that you may lift."),
    AssociationRefusal.USED_UP_AT_ONCE: _(
        "It has spent as much this month already. Set its budget on its own page."
    ),
    AssociationRefusal.NO_BUDGET: _(
        "A budget has to be set first: without one the account stays frozen."
    ),
    AssociationRefusal.PARTNER_FROZEN: _(
        "The provider has frozen your organisation. Until that ends you cannot freeze customers"
        " nor request an authorization."
    ),
    AssociationRefusal.FROZEN_TOO_OFTEN: _(
        "You have frozen this customer ten times within a day. Try again tomorrow."
    ),
    AssociationRefusal.FROZEN_FOR_OTHER_REASON: _(
        "The account had been frozen already. Nothing has changed, and the customer is not told of"
        " this reason. To give another reason, unfreeze the account first."
    ),
    AssociationRefusal.NOT_FROZEN: _("Your account is not frozen, so there is nothing to ask for."),
    AssociationRefusal.ASKING_DOES_NOT_HELP: _(
        "Asking your partner does not lift this freeze. This page says what does."
    ),
    AssociationRefusal.OTHER_ASK: _(
        "Your account has changed since the page was opened. The page shows what you can do now."
    ),
    AssociationRefusal.AUTHORIZATION_LETTER_CHANGED: _(
        "The letter has changed while you were reading. Please read it again."
    ),
    AssociationRefusal.ALREADY_GRANTED: _("The authorization has been given already."),
    AssociationRefusal.ALREADY_DECLINED: _("The request has been declined already."),
    AssociationRefusal.ALREADY_REVOKED: _("The authorization has been revoked already."),
    AssociationRefusal.NOT_GRANTED: _("No authorization has been given yet."),
    AssociationRefusal.NOT_REQUESTED: _("The partner has not asked for an authorization."),
    AssociationRefusal.GRANTED_TOO_OFTEN: _(
        "You have given the authorization five times within a day. Try again tomorrow."
    ),
    AssociationRefusal.END_REQUEST_OPEN: _("A request to end this association is open already."),
    AssociationRefusal.END_ASKED_TOO_OFTEN: _(
        "You have asked to end this association five times within a day. Try again tomorrow."
    ),
    AssociationRefusal.END_OBSTRUCTED: _(
        "The association cannot end yet: something has to be settled first."
    ),
    AssociationRefusal.END_REQUEST_ANSWERED: _(
        "The request to end was answered or withdrawn in the meantime."
    ),
    AssociationRefusal.WRONG_SIDE: _(
        "Only the side that was asked can answer, and only the side that asked can withdraw."
    ),
    AssociationRefusal.END_REQUEST_NOT_DUE: _("The other side still has time to answer."),
    AssociationRefusal.NOT_POSSIBLE: _(
        "This does not help here, or no longer. The page shows what does."
    ),
    AssociationRefusal.WRITTEN_TOO_OFTEN: _(
        "You have written to this person within the last 24 hours. Possible again from %(moment)s."
    ),
    AssociationRefusal.EMAIL_UNWANTED: _("This person does not want e-mail from you."),
    AssociationRefusal.ADDRESS_UNKNOWN: _("No address is known yet."),
    JourneyRefusal.FINISHED: _("The attempt has led to an association meanwhile."),
    JourneyRefusal.OTHER_ACCOUNT: _("The attempt belongs to another account."),
    JourneyRefusal.NOTHING_REFUSED: _("Nothing refuses the account: it may join."),
    JourneyRefusal.NOT_ADMITTED: _("The account may not join through this invitation."),
    JourneyRefusal.ALREADY_ASSOCIATED: _("The account is a customer of this partner already."),
    JourneyRefusal.STEP_UNDONE: _("A step before this one is not done."),
    JourneyRefusal.DOCUMENT_CHANGED: _(
        "The documents have changed while you were reading. Please read them again."
    ),
    DocumentRefusal.ALREADY_PUBLISHED: _("This document is published already."),
    ErasureRefusal.UNKNOWN: _("No account has this account name or e-mail address."),
    ErasureRefusal.ASSOCIATED: _(
        "This account is a partner’s customer: end the association in the admin, then erase it."
    ),
    ErasureRefusal.IS_MEMBER: _(
        "This user acts for a partner: remove the member in the admin, then erase the account."
    ),
    ErasureRefusal.IS_STAFF: _(
        "This user may open the admin: take that right away in the admin, then erase the account."
    ),
    ErasureRefusal.IS_SUPPORT: _(
        "This is a partner’s support address: change it in the admin, then erase the account."
    ),
}


def sentence_for(refused: Refused) -> str:
    """Return what to tell the person whose action was refused, here or in partners."""
    if refused.code == AssociationRefusal.WRITTEN_TOO_OFTEN and refused.again_at is not None:
        return SENTENCES[refused.code] % {"moment": clock_text(next_minute(refused.again_at))}
    if refused.code in SENTENCES:
        return str(SENTENCES[refused.code])
    return invitation_sentence_for(refused)


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

ACCOUNT_TEXTS: dict[str, RefusalText] = {
    RefusalCode.CHINESE_MAINLAND_SITE: RefusalText(
        title=_("The account was registered on the international site"),
        customer=_("Accounts of the Chinese mainland site cannot join a partner here."),
        fact=_("Your account was registered on the Chinese mainland site."),
        partner=_("The account was registered on the Chinese mainland site."),
        suggested_operation=_(
            "The customer needs a new account, registered from the same invitation. If that is for"
            " one address only, send it to another address."
        ),
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
        suggested_operation=_("Talk to the customer, or to the provider."),
    ),
    RefusalCode.CASH_EXPENDITURE: RefusalText(
        title=_("The account has paid nothing in cash"),
        customer=_("An account that has paid in cash cannot join. Coupons do not count as cash."),
        fact=_("Largest amount paid in cash: %(largest_amount)s."),
        partner=_("The account has paid in cash."),
        suggested_operation=_("Talk to the customer, or to the provider."),
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
        fact=_("Your account's address ends in something else."),
        partner=_("The customer's e-mail address is not in a domain that the link allows."),
        suggested_operation=_("Send the customer an online invitation."),
    ),
}

REFUSAL_TEXTS: Mapping[str, RefusalText] = ACCOUNT_TEXTS | INVITATION_TEXTS


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
    moment = localtime(datetime.fromisoformat(value))
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
