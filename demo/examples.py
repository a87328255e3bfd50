"""What the demo shows: partners, invitations, and one account for every refusal.

Moments are distances from now, so that the demo never becomes old.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from accounts.enums import Accounting, AccountType, ContractType, RegistrationSite
from accounts.models import ReservedInstance
from association.enums import RefusalCode
from association.refusals import customer_reason
from demo.facts import DAY, HOUR, IN_FORCE, FactExample, bill, cash, contract, coupon, resource
from partners.enums import AssociationType, Channel, InvitationRefusal, PartnerStatus

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

DOMAIN = "demo.example"
SOURCE = "demo"

PARTNER, MANAGER, ADMIN = "partner", "manager", "admin"
# Public on purpose; loaded only with DEMO=1.
PASSWORDS = {
    PARTNER: "nine-copper-bridges",
    MANAGER: "four-silver-harbour-lights",
    ADMIN: "eleven-paper-harbours",
}
CUSTOMER_PASSWORD = "seven-quiet-lanterns"  # noqa: S105 - the demo prints it

INVITING: dict[str, Any] = {
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


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationExample:
    """An invitation; `refusal` is why it cannot be followed, None if it can."""

    name: str
    association_type: AssociationType = RESELLER
    recipient: str = ""
    is_bound: bool = False
    refusal: InvitationRefusal | None = None
    title: "StrOrPromise" = ""
    line: "StrOrPromise" = ""

    @property
    def label(self) -> str:
        return LABEL_PREFIX + self.name.replace("_", " ")

    @property
    def channel(self) -> Channel:
        return Channel.EMAIL if self.recipient else Channel.LINK


INVITATIONS = (
    InvitationExample(
        name="reseller_link",
        title=_("Reseller, by link and QR code"),
        line=_("For new accounts. The account is frozen until the partner sets a budget."),
    ),
    InvitationExample(
        name="reseller_email",
        recipient=f"reseller-guest@{DOMAIN}",
        title=_("Reseller, by e-mail"),
        line=_("For a new or an existing account, once. The account is frozen too."),
    ),
    InvitationExample(
        name="referral_link",
        association_type=REFERRAL,
        title=_("Referral, by link and QR code"),
        line=_("For new accounts. Nothing is frozen."),
    ),
    InvitationExample(
        name="referral_email",
        association_type=REFERRAL,
        recipient=f"referral-guest@{DOMAIN}",
        title=_("Referral, by e-mail"),
        line=_("For a new or an existing account, once. Nothing is frozen."),
    ),
    InvitationExample(
        name="expired",
        refusal=InvitationRefusal.EXPIRED,
        title=_("Expired"),
        line=_("What a visitor sees who comes too late."),
    ),
    InvitationExample(
        name="revoked",
        refusal=InvitationRefusal.REVOKED,
        title=_("Revoked"),
        line=_("What a visitor sees after the partner has revoked the invitation."),
    ),
    InvitationExample(
        name="used_up",
        refusal=InvitationRefusal.USED_UP,
        title=_("Used up"),
        line=_("What a visitor sees after the last use."),
    ),
)


def invitation_to(address: str) -> InvitationExample:
    """Return the invitation of the demo account with this address."""
    name = f"account {address.partition('@')[0]}"
    return InvitationExample(name=name, recipient=address, is_bound=True)


# --- accounts


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountExample:
    """An account with a stable name; for a refusal code that rule alone refuses it.

    `master_of` and `member_of` are the accounting of a relation with a second account.
    """

    name: str
    title: "StrOrPromise" = ""
    own_line: "StrOrPromise" = ""
    account_type: AccountType = AccountType.INDIVIDUAL
    registration_site: RegistrationSite = RegistrationSite.INTERNATIONAL
    is_internal: bool = False
    is_enabled: bool = True
    age: timedelta = 2 * HOUR
    facts: tuple[FactExample, ...] = ()
    master_of: Accounting | None = None
    member_of: Accounting | None = None

    @property
    def stem(self) -> str:
        """The local part of its address; later accounts of this name add a number."""
        return self.name.replace("_", "-")

    @property
    def line(self) -> str:
        """What this account shows; for a refused one the reason that it reads."""
        return str(self.own_line) or customer_reason(self.name)

    def values_at(self, now: datetime) -> dict[str, Any]:
        registered_at = now - self.age
        return {
            "account_type": self.account_type,
            "registration_site": self.registration_site,
            "is_internal": self.is_internal,
            "registered_at": registered_at,
            "services_enabled_at": registered_at + HOUR / 6 if self.is_enabled else None,
        }


ACCOUNTS = (
    AccountExample(
        name="eligible",
        title=_("An account that can join"),
        own_line=_("It sees what will happen to its coupons and resources, and associates."),
        facts=(
            coupon(1, "30.00"),
            coupon(2, "20.00"),
            resource("web-1"),
            resource("web-2"),
            resource("database-1"),
        ),
    ),
    AccountExample(
        name="eligible_not_enabled",
        title=_("An account without services"),
        own_line=_("It enables its services and associates, or does so later."),
        is_enabled=False,
    ),
    AccountExample(
        name=RefusalCode.CHINESE_MAINLAND_SITE,
        title=_("Registered on the Chinese mainland site"),
        registration_site=RegistrationSite.CHINESE_MAINLAND,
    ),
    AccountExample(name=RefusalCode.OTHER_PARTNER, title=_("Customer of another partner")),
    AccountExample(
        name=RefusalCode.SPECIAL_CONTRACT,
        title=_("Under a special contract"),
        facts=(contract(ContractType.OFFLINE_DIRECT, **IN_FORCE),),
    ),
    AccountExample(
        name=RefusalCode.REGISTERED_TOO_LONG, title=_("Registered a month ago"), age=30 * DAY
    ),
    AccountExample(
        name=RefusalCode.CASH_EXPENDITURE,
        title=_("Has paid in cash"),
        facts=(cash("120.00", occurred_at=-HOUR),),
    ),
    AccountExample(
        name=RefusalCode.UNPAID_BILLS,
        title=_("Owes a bill"),
        facts=(bill("48.20", issued_at=-HOUR, due_at=14 * DAY),),
    ),
    AccountExample(
        name=RefusalCode.UNIFIED_ACCOUNTING_MEMBER,
        title=_("Member of an enterprise that pays for it"),
        member_of=Accounting.UNIFIED,
    ),
    AccountExample(
        name=RefusalCode.PROFESSIONAL_SERVICES_CONTRACT,
        title=_("Under a professional services contract"),
        facts=(contract(ContractType.PROFESSIONAL_SERVICES, **IN_FORCE),),
    ),
    AccountExample(
        name=RefusalCode.RESERVED_INSTANCES,
        title=_("Has a reserved instance"),
        facts=(
            FactExample(
                "reserved", ReservedInstance, {"cancelled_at": None, "expires_at": 90 * DAY}
            ),
        ),
    ),
    AccountExample(
        name=RefusalCode.ENTERPRISE_MEMBER,
        title=_("Member of an enterprise, paying for itself"),
        member_of=Accounting.INDEPENDENT,
    ),
    AccountExample(
        name=RefusalCode.MASTER_WITH_INDEPENDENT_MEMBERS,
        title=_("Master of an enterprise"),
        account_type=AccountType.ENTERPRISE,
        master_of=Accounting.INDEPENDENT,
    ),
    AccountExample(name=RefusalCode.IS_PARTNER, title=_("Works for a partner")),
    AccountExample(
        name=RefusalCode.INTERNAL_ACCOUNT, title=_("Belongs to the provider"), is_internal=True
    ),
)

# Further accounts: the second accounts of enterprise relations, and the customer of the used-up
# invitation.
ENTERPRISE = AccountExample(name="enterprise", account_type=AccountType.ENTERPRISE)
SUBSIDIARY = AccountExample(name="subsidiary")
EARLIER_CUSTOMER = AccountExample(name="earlier_customer")
