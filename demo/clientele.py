"""Who fills the demo partner's console: the people behind its customers, refusals and requests.

Their addresses are in domains of their own, so that none of them is taken for an account that
plays a role. How long ago something happened is in hours before the demo was first loaded.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from accounts.enums import ContractType, FreezeScope
from accounts.models import Bill, CashExpenditure, Contract
from association.enums import RefusalCode
from association.models import BudgetPeriod, OnExhaustion
from association.services.customers import BudgetTerms
from demo.cast import DOMAIN, FactCue

# Everything in the console happened since.
DAYS_OF_HISTORY = 14


def address(local: str, company: str) -> str:
    """Return an address at one of the made-up companies."""
    return f"{local}@{company}.{DOMAIN}"


STAND = "Autumn trade fair, stand B12"
NEWSLETTER = "Newsletter for start-ups"
MEETUP = "Meetup at the harbour"
EXISTING = "Moves over to us"
OFFER = "Offer after the call"
CARDS = "Counter card {n}"
CARD_COUNT = 12
OFFER_NOTE = (
    "As agreed on the phone: here is the way to your account with us. It takes five minutes."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetCue:
    """A budget that the partner set, and what has been spent of it since."""

    terms: BudgetTerms
    set_before: float
    spent: tuple[str, ...] = ()
    recorded_before: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer of the partner: how they came, and what has happened since."""

    address: str
    invitation: str = STAND
    joined_before: float
    running: tuple[str, ...] = ()
    budget: BudgetCue | None = None
    budget_asked_before: float | None = None
    frozen_before: float | None = None
    authorization_asked_before: float | None = None
    authorization_granted_before: float | None = None


FREEZE_SCOPE = FreezeScope.ACCOUNT
FREEZE_REASON = "Your last invoice is still open. Call us, and we unfreeze the account at once."


def _terms(amount: str, period: BudgetPeriod) -> BudgetTerms:
    return BudgetTerms(Decimal(amount), period, OnExhaustion.FREEZE)


CUSTOMERS = (
    Customer(
        address=address("cto", "strandkorb"),
        invitation=NEWSLETTER,
        joined_before=150,
        authorization_asked_before=93,
        authorization_granted_before=70,
    ),
    Customer(
        address=address("office", "moorland"),
        joined_before=141,
        budget=BudgetCue(terms=_terms("300.00", BudgetPeriod.MONTHLY), set_before=139),
        frozen_before=30,
    ),
    Customer(
        address=address("ops", "windmuehle"),
        joined_before=130,
        budget=BudgetCue(
            terms=_terms("500.00", BudgetPeriod.MONTHLY),
            set_before=122,
            spent=("118.40", "96.15", "104.30", "83.45"),
            recorded_before=2,
        ),
    ),
    Customer(
        address=address("team", "leuchtturm"),
        joined_before=111,
        budget=BudgetCue(
            terms=_terms("200.00", BudgetPeriod.ONE_TIME),
            set_before=100,
            spent=("61.20", "74.55", "67.35"),
            recorded_before=20,
        ),
    ),
    Customer(
        address=address("admin", "ziegelhof"),
        invitation=NEWSLETTER,
        joined_before=62,
        authorization_asked_before=28,
    ),
    Customer(address=address("lena", "lichtwerk"), joined_before=53, budget_asked_before=5),
    Customer(
        address=address("it", "hafenkontor"),
        invitation=EXISTING,
        joined_before=27,
        running=("shop-1", "shop-2"),
    ),
    Customer(address=address("paula", "segelmacherei"), invitation=MEETUP, joined_before=7),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Someone with an account whom a rule refuses; `fact` is what it refuses for."""

    address: str
    code: RefusalCode
    came_before: float
    decided_before: float | None = None
    is_new: bool = True
    fact: FactCue | None = None
    tells_partner: bool = False


NOW = timedelta(0)
VISITORS = (
    Visitor(
        address=address("dev", "nachtzug"),
        code=RefusalCode.REGISTERED_TOO_LONG,
        came_before=9 * 24,
        decided_before=44,
    ),
    Visitor(
        address=address("it", "granitwerk"),
        code=RefusalCode.SPECIAL_CONTRACT,
        came_before=75,
        fact=FactCue(
            "contract",
            Contract,
            {"contract_type": ContractType.OFFLINE_DIRECT},
            {"signed_at": NOW, "effective_from": NOW},
        ),
    ),
    Visitor(
        address=address("shop", "kupferkanne"),
        code=RefusalCode.CASH_EXPENDITURE,
        came_before=31,
        fact=FactCue("cash", CashExpenditure, {"amount": Decimal("89.90")}, {"occurred_at": NOW}),
    ),
    Visitor(
        address=address("hello", "papierboot"),
        code=RefusalCode.UNPAID_BILLS,
        came_before=19,
        fact=FactCue(
            "bill",
            Bill,
            {"amount": Decimal("34.50"), "paid_amount": Decimal("0.00")},
            {"issued_at": NOW},
        ),
        tells_partner=True,
    ),
    Visitor(
        address=address("alina", "bernstein"),
        code=RefusalCode.EXISTING_ACCOUNT_NOT_ALLOWED,
        came_before=4,
        is_new=False,
    ),
)
ASKS_FOR_INVITATION = VISITORS[-1].address
REGISTERING = address("mia", "treibholz")
PUTS_OFF = address("post", "kranich")
INVITED_BY_EMAIL = address("katja.lorenz", "sturmlaterne")
INVITED_MEMBER = address("jonas.brandt", "nordlicht")
