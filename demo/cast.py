"""Who plays in the demo: logins, partners, invitations, and an account for every refusal.

Moments are distances from now, so that the demo never grows old.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from accounts.enums import (
    Accounting,
    AccountType,
    Billing,
    ContractType,
    MemberType,
    RegistrationSite,
    ResourceStatus,
)
from accounts.models import Bill, CashExpenditure, Contract, Coupon, ReservedInstance, Resource
from accounts.models.facts import Fact
from association.enums import RefusalCode
from partners.enums import AssociationType, Channel, InvitationRefusal, PartnerStatus

DOMAIN = "demo.example"
SOURCE = "demo"

PARTNER, MANAGER, ADMIN = "partner", "manager", "admin"
# Known to everybody on purpose, and only ever loaded with DEMO=1.
PASSWORDS = {
    PARTNER: "nine-copper-bridges",
    MANAGER: "four-silver-harbour-lights",
    ADMIN: "eleven-paper-harbours",
}
CUSTOMER_PASSWORD = "seven-quiet-lanterns"  # noqa: S105 - the demo prints it

INVITING: Mapping[str, Any] = {
    "slug": "nordlicht",
    "name": "Nordlicht Systems",
    "legal_name": "Nordlicht Systems GmbH",
    "country": "DE",
    "support_email": f"help@nordlicht.{DOMAIN}",
    "support_phone": "+49 30 5550 142",
    "status": PartnerStatus.NORMAL,
    "time_zone": "Europe/Berlin",
    "allows_reseller": True,
    "allows_referral": True,
}
OTHER: Mapping[str, Any] = {
    "slug": "kite-and-harbour",
    "name": "Kite & Harbour",
    "legal_name": "Kite & Harbour Ltd",
    "country": "IE",
    "support_email": f"hello@kite.{DOMAIN}",
    "support_phone": "+353 1 555 0136",
    "status": PartnerStatus.NORMAL,
    "time_zone": "Europe/Dublin",
    "allows_reseller": True,
    "allows_referral": True,
}


@dataclass(frozen=True, slots=True)
class Cue:
    """One of the seven invitations; `refusal` is why it cannot be followed, None when it can."""

    key: str
    label: str
    association_type: AssociationType
    recipient: str = ""
    refusal: InvitationRefusal | None = None

    @property
    def channel(self) -> Channel:
        """By e-mail when somebody is addressed."""
        return Channel.EMAIL if self.recipient else Channel.LINK


CUES = (
    Cue("reseller_link", "Demo: reseller, link and QR code", AssociationType.RESELLER),
    Cue(
        "reseller_email",
        "Demo: reseller, by e-mail",
        AssociationType.RESELLER,
        recipient=f"reseller-guest@{DOMAIN}",
    ),
    Cue("referral_link", "Demo: referral, link and QR code", AssociationType.REFERRAL),
    Cue(
        "referral_email",
        "Demo: referral, by e-mail",
        AssociationType.REFERRAL,
        recipient=f"referral-guest@{DOMAIN}",
    ),
    Cue("expired", "Demo: expired", AssociationType.RESELLER, refusal=InvitationRefusal.EXPIRED),
    Cue("revoked", "Demo: revoked", AssociationType.RESELLER, refusal=InvitationRefusal.REVOKED),
    Cue("used_up", "Demo: used up", AssociationType.RESELLER, refusal=InvitationRefusal.USED_UP),
)
NOTE = "Thank you for your call. This is the invitation we talked about."


@dataclass(frozen=True, slots=True)
class FactCue:
    """A fact about an account; `moments` are distances from now."""

    name: str
    model: type[Fact]
    values: Mapping[str, Any] = field(default_factory=dict)
    moments: Mapping[str, timedelta] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """An account under a stable name; `name` is the code of the rule that alone refuses it.

    `master_of` and `member_of` are the accounting of an enterprise relation with an extra.
    """

    name: str
    account_type: AccountType = AccountType.INDIVIDUAL
    registration_site: RegistrationSite = RegistrationSite.INTERNATIONAL
    is_internal: bool = False
    is_enabled: bool = True
    age: timedelta = timedelta(hours=2)
    facts: tuple[FactCue, ...] = ()
    master_of: Accounting | None = None
    member_of: Accounting | None = None

    @property
    def stem(self) -> str:
        """How its address begins; a number follows from the second account of this name on."""
        return self.name.replace("_", "-")


ELIGIBLE, ELIGIBLE_NOT_ENABLED = "eligible", "eligible_not_enabled"
DAY = timedelta(days=1)


def _contract(contract_type: ContractType) -> FactCue:
    return FactCue(
        "contract",
        Contract,
        {"contract_type": contract_type, "terminated_at": None},
        {"signed_at": -45 * DAY, "effective_from": -30 * DAY, "effective_to": 300 * DAY},
    )


def _coupon(number: int, balance: str) -> FactCue:
    return FactCue(
        f"coupon-{number}", Coupon, {"balance": Decimal(balance)}, {"expires_at": 180 * DAY}
    )


def _resource(number: int, name: str) -> FactCue:
    values = {"name": name, "billing": Billing.PAY_PER_USE, "status": ResourceStatus.RUNNING}
    return FactCue(f"resource-{number}", Resource, values)


ROLES = (
    Role(
        name=ELIGIBLE,
        facts=(
            _coupon(1, "30.00"),
            _coupon(2, "20.00"),
            _resource(1, "web-1"),
            _resource(2, "web-2"),
            _resource(3, "database-1"),
        ),
    ),
    Role(name=ELIGIBLE_NOT_ENABLED, is_enabled=False),
    Role(
        name=RefusalCode.CHINESE_MAINLAND_SITE, registration_site=RegistrationSite.CHINESE_MAINLAND
    ),
    Role(name=RefusalCode.OTHER_PARTNER),
    Role(name=RefusalCode.SPECIAL_CONTRACT, facts=(_contract(ContractType.OFFLINE_DIRECT),)),
    Role(name=RefusalCode.REGISTERED_TOO_LONG, age=30 * DAY),
    Role(
        name=RefusalCode.CASH_EXPENDITURE,
        facts=(
            FactCue(
                "cash", CashExpenditure, {"amount": Decimal("120.00")}, {"occurred_at": -DAY / 24}
            ),
        ),
    ),
    Role(
        name=RefusalCode.UNPAID_BILLS,
        facts=(
            FactCue(
                "bill",
                Bill,
                {"amount": Decimal("48.20"), "paid_amount": Decimal("0.00")},
                {"issued_at": -DAY / 24, "due_at": 14 * DAY},
            ),
        ),
    ),
    Role(name=RefusalCode.UNIFIED_ACCOUNTING_MEMBER, member_of=Accounting.UNIFIED),
    Role(
        name=RefusalCode.PROFESSIONAL_SERVICES_CONTRACT,
        facts=(_contract(ContractType.PROFESSIONAL_SERVICES),),
    ),
    Role(
        name=RefusalCode.RESERVED_INSTANCES,
        facts=(
            FactCue("reserved", ReservedInstance, {"cancelled_at": None}, {"expires_at": 90 * DAY}),
        ),
    ),
    Role(name=RefusalCode.ENTERPRISE_MEMBER, member_of=Accounting.INDEPENDENT),
    Role(
        name=RefusalCode.MASTER_WITH_INDEPENDENT_MEMBERS,
        account_type=AccountType.ENTERPRISE,
        master_of=Accounting.INDEPENDENT,
    ),
    Role(name=RefusalCode.IS_PARTNER),
    Role(name=RefusalCode.INTERNAL_ACCOUNT, is_internal=True),
)
MEMBER_TYPE = MemberType.CLOUD_ACCOUNT

# Extras: the other side of enterprise relations, and who used up the used-up invitation.
ENTERPRISE = Role(name="enterprise", account_type=AccountType.ENTERPRISE)
SUBSIDIARY = Role(name="subsidiary")
EARLIER_CUSTOMER = Role(name="earlier_customer")
