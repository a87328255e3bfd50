"""What the demo shows: partners, invitations, and one account for every refusal.

A `timedelta` is a distance from the moment at which the account begins.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.enums import (
    Accounting,
    AccountType,
    Billing,
    ContractType,
    MemberType,
    RegistrationSite,
    ResourceStatus,
)
from association.enums import RefusalCode
from association.refusal_texts import customer_reason
from partners.enums import AssociationType, InvitationRefusal, PartnerStatus

DOMAIN = "demo.example"
DAY = timedelta(days=1)

# --- logins

PARTNER, MANAGER, ADMIN = "partner", "manager", "admin"
# Public on purpose; loaded only with DEMO=1.
PASSWORDS = {
    PARTNER: "nine-copper-bridges",
    MANAGER: "four-silver-harbour-lights",
    ADMIN: "eleven-paper-harbours",
}
CUSTOMER_PASSWORD = "seven-quiet-lanterns"  # noqa: S105 - the demo prints it
# Customers whom `history` adds, by what their account is like.
CUSTOMERS = {
    "waiting": f"lena@lichtwerk.{DOMAIN}",
    "used_up": f"team@leuchtturm.{DOMAIN}",
    "frozen_by_partner": f"office@moorland.{DOMAIN}",
    "active": f"ops@windmuehle.{DOMAIN}",
}
CUSTOMER_TITLES = {
    "waiting": _("A customer who waits for a budget"),
    "used_up": _("A customer whose budget is used up"),
    "frozen_by_partner": _("A customer whom the partner has frozen"),
    "active": _("A customer who can use everything"),
}
# What the people of `history` and the other side of the used-up invitation call themselves.
NAMES = {
    f"{address}.{DOMAIN}": name
    for address, name in {
        "admin@ziegelhof": "Ziegelhof Architekten",
        "alina@bernstein": "Alina Bernstein",
        "buero@bootsbau": "Bootsbau Petersen",
        "cto@strandkorb": "Strandkorb Software",
        "dev@nachtzug": "Nachtzug Media",
        "hello@papierboot": "Papierboot Verlag",
        "it@granitwerk": "Granitwerk AG",
        "it@hafenkontor": "Hafenkontor GmbH",
        "kontakt@seilerei": "Seilerei Brandt",
        "lena@lichtwerk": "Lichtwerk Studio",
        "office@moorland": "Moorland Gärtnerei",
        "ops@windmuehle": "Windmühle Energie",
        "paula@segelmacherei": "Segelmacherei Paulsen",
        "post@kranich": "Kranich Logistik",
        "shop@kupferkanne": "Kupferkanne Café",
        "team@leuchtturm": "Leuchtturm Beratung",
    }.items()
} | {f"earlier-customer@{DOMAIN}": "Kontor Altona"}
# What the partner calls some customers by itself.
REFERENCES = {"moorland": "N-2041", "windmuehle": "N-2042", "leuchtturm": "N-2043"}


def login(address: str, password: str = CUSTOMER_PASSWORD) -> dict[str, str]:
    return {"login": address, "password": password}


# The account names of those who are no customers.
ACCOUNT_NAMES = {PARTNER: "nora.nordlicht", MANAGER: "mats.nordlicht", ADMIN: "provider.desk"}
LOGINS = {name: login(f"{name}@{DOMAIN}", password) for name, password in PASSWORDS.items()}
ROLES = LOGINS | {name: login(address) for name, address in CUSTOMERS.items()}

# --- partners

INVITING: dict[str, Any] = {
    "slug": "nordlicht",
    "name": "Nordlicht Systems",
    "legal_name": "Nordlicht Systems GmbH",
    "country": "DE",
    "support_email": f"help@nordlicht.{DOMAIN}",
    "support_phone": "+49 30 5550 142",
    "status": PartnerStatus.NORMAL,
    "frozen_at": None,
    "frozen_by": None,
    "frozen_reason": "",
    "time_zone": "Europe/Berlin",
    "allows_reseller": True,
    "allows_referral": True,
}
OTHER: dict[str, Any] = {
    **INVITING,
    "slug": "kite-and-harbour",
    "name": "Kite & Harbour",
    "legal_name": "Kite & Harbour Ltd",
    "country": "IE",
    "support_email": f"hello@kite.{DOMAIN}",
    "support_phone": "+353 1 555 0136",
    "time_zone": "Europe/Dublin",
}

# --- invitations

LABEL_PREFIX = "Demo: "
NOTE = "Thank you for your call. This is the invitation we talked about."
RESELLER, REFERRAL = AssociationType.RESELLER, AssociationType.REFERRAL


@dataclass(frozen=True, slots=True)
class InvitationExample:
    """An invitation; `refusal` is why it cannot be followed, None if it can."""

    name: str
    title: object = ""
    line: object = ""
    association_type: AssociationType = RESELLER
    recipient: str = ""
    is_bound: bool = False
    refusal: InvitationRefusal | None = None

    @property
    def label(self) -> str:
        return LABEL_PREFIX + self.name.replace("_", " ")


INVITATIONS = (
    InvitationExample(
        "reseller_link",
        _("Reseller, by link and QR code"),
        _("For new accounts. The account is frozen until the partner sets a budget."),
    ),
    InvitationExample(
        "reseller_email",
        _("Reseller, by e-mail"),
        _("For a new or an existing account, once. The account is frozen too."),
        recipient=f"reseller-guest@{DOMAIN}",
    ),
    InvitationExample(
        "referral_link",
        _("Referral, by link and QR code"),
        _("For new accounts. Nothing is frozen."),
        REFERRAL,
    ),
    InvitationExample(
        "referral_email",
        _("Referral, by e-mail"),
        _("For a new or an existing account, once. Nothing is frozen."),
        REFERRAL,
        recipient=f"referral-guest@{DOMAIN}",
    ),
    InvitationExample(
        "expired",
        _("Expired"),
        _("What a visitor sees who comes too late."),
        refusal=InvitationRefusal.EXPIRED,
    ),
    InvitationExample(
        "revoked",
        _("Revoked"),
        _("What a visitor sees after the partner has revoked the invitation."),
        refusal=InvitationRefusal.REVOKED,
    ),
    InvitationExample(
        "used_up",
        _("Used up"),
        _("What a visitor sees after the last use."),
        refusal=InvitationRefusal.USED_UP,
    ),
)


def invitation_to(address: str) -> InvitationExample:
    """Return the invitation of the demo account with this address."""
    name = f"account {address.partition('@')[0]}"
    return InvitationExample(name, recipient=address, is_bound=True)


# --- facts, as lines of an import

Fact = Mapping[str, Any]
NOW = timedelta(0)


def contract(contract_type: ContractType) -> Fact:
    in_force = {"signed_at": NOW, "effective_from": NOW, "effective_to": 300 * DAY}
    return {"kind": "contract", "contract_type": contract_type, **in_force}


def cash(amount: str) -> Fact:
    return {"kind": "cash_expenditure", "amount": amount, "occurred_at": NOW}


def unpaid_bill(amount: str) -> Fact:
    moments = {"issued_at": NOW, "due_at": 14 * DAY}
    return {"kind": "bill", "amount": amount, "paid_amount": "0.00", **moments}


def coupon(balance: str) -> Fact:
    return {"kind": "coupon", "balance": balance, "expires_at": 180 * DAY}


def resource(name: str) -> Fact:
    state = {"billing": Billing.PAY_PER_USE, "status": ResourceStatus.RUNNING}
    return {"kind": "resource", "name": name, **state}


def relation(accounting: Accounting, **other_side: str) -> Fact:
    terms = {"accounting": accounting, "member_type": MemberType.CLOUD_ACCOUNT}
    return {"kind": "enterprise_relation", **terms, **other_side}


# --- accounts


@dataclass(frozen=True, slots=True)
class AccountExample:
    """An account with a stable name; for a refusal code that rule alone refuses it.

    `values` are those that differ from what `restore_account()` sets.
    """

    name: str
    title: object = ""
    facts: tuple[Fact, ...] = ()
    own_line: object = ""
    values: Fact = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """The local part of its address; later accounts of this name add a number."""
        return self.name.replace("_", "-")

    @property
    def line(self) -> str:
        """What this account shows; for a refused one the reason that it reads."""
        return str(self.own_line) or customer_reason(self.name)


# The other sides of enterprise relations, and the customer of the used-up invitation.
ENTERPRISE = AccountExample("enterprise", values={"account_type": AccountType.ENTERPRISE})
SUBSIDIARY = AccountExample("subsidiary")
EARLIER_CUSTOMER = AccountExample("earlier_customer")

ACCOUNTS = (
    AccountExample(
        "eligible",
        _("An account that can join"),
        (coupon("30.00"), coupon("20.00"), *map(resource, ("web-1", "web-2", "database-1"))),
        _("It sees what will happen to its coupons and resources, and associates."),
    ),
    AccountExample(
        "eligible_not_enabled",
        _("An account without services"),
        own_line=_("It enables its services and associates, or does so later."),
        values={"services_enabled_at": None},
    ),
    AccountExample(
        RefusalCode.CHINESE_MAINLAND_SITE,
        _("Registered on the Chinese mainland site"),
        values={"registration_site": RegistrationSite.CHINESE_MAINLAND},
    ),
    AccountExample(RefusalCode.OTHER_PARTNER, _("Customer of another partner")),
    AccountExample(
        RefusalCode.SPECIAL_CONTRACT,
        _("Under a special contract"),
        (contract(ContractType.OFFLINE_DIRECT),),
    ),
    AccountExample(
        RefusalCode.REGISTERED_TOO_LONG,
        _("Registered a month ago"),
        values={"registered_at": -30 * DAY},
    ),
    AccountExample(RefusalCode.CASH_EXPENDITURE, _("Has paid in cash"), (cash("120.00"),)),
    AccountExample(RefusalCode.UNPAID_BILLS, _("Owes a bill"), (unpaid_bill("48.20"),)),
    AccountExample(
        RefusalCode.UNIFIED_ACCOUNTING_MEMBER,
        _("Member of an enterprise that pays for it"),
        (relation(Accounting.UNIFIED, master=f"{ENTERPRISE.stem}@{DOMAIN}"),),
    ),
    AccountExample(
        RefusalCode.PROFESSIONAL_SERVICES_CONTRACT,
        _("Under a professional services contract"),
        (contract(ContractType.PROFESSIONAL_SERVICES),),
    ),
    AccountExample(
        RefusalCode.RESERVED_INSTANCES,
        _("Has a reserved instance"),
        ({"kind": "reserved_instance", "expires_at": 90 * DAY},),
    ),
    AccountExample(
        RefusalCode.ENTERPRISE_MEMBER,
        _("Member of an enterprise, paying for itself"),
        (relation(Accounting.INDEPENDENT, master=f"{ENTERPRISE.stem}@{DOMAIN}"),),
    ),
    AccountExample(
        RefusalCode.MASTER_WITH_INDEPENDENT_MEMBERS,
        _("Master of an enterprise"),
        (relation(Accounting.INDEPENDENT, member=f"{SUBSIDIARY.stem}@{DOMAIN}"),),
        values={"account_type": AccountType.ENTERPRISE},
    ),
    AccountExample(RefusalCode.IS_PARTNER, _("Works for a partner")),
    AccountExample(
        RefusalCode.INTERNAL_ACCOUNT, _("Belongs to the provider"), values={"is_internal": True}
    ),
)
