"""The customers and visitors in the demo partner's console, and what happened to each.

Their addresses have domains of their own, so that none is taken for one of `examples.ACCOUNTS`.
`…_before` is a number of hours before the demo was first loaded.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from accounts.enums import ContractType
from association.enums import RefusalCode
from association.models import BudgetPeriod, OnExhaustion
from association.services.customers import BudgetTerms
from demo.examples import DOMAIN
from demo.facts import FactExample, bill, cash, contract, resource

DAYS_OF_HISTORY = 14

# Labels of invitations.
FAIR = "Autumn trade fair, stand B12"
NEWSLETTER = "Newsletter for start-ups"
MEETUP = "Meetup at the harbour"
EXISTING = "Moves over to us"
OFFER = "Offer after the call"
OFFER_NOTE = (
    "As agreed on the phone: here is the way to your account with us. It takes five minutes."
)
BATCH = "Counter card {n}"
BATCH_SIZE = 12

FREEZE_REASON = "Your last invoice is still open. Call us, and we unfreeze the account at once."


def address(local: str, company: str) -> str:
    return f"{local}@{company}.{DOMAIN}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetExample:
    """A budget that the partner set, and the amounts spent since."""

    terms: BudgetTerms
    set_before: float
    spent: tuple[str, ...] = ()
    recorded_before: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer of the partner: the invitation that was followed, and what happened since."""

    address: str
    invitation: str = FAIR
    joined_before: float
    facts: tuple[FactExample, ...] = ()
    budget: BudgetExample | None = None
    budget_asked_before: float | None = None
    frozen_before: float | None = None
    authorization_asked_before: float | None = None
    authorization_granted_before: float | None = None


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
        budget=BudgetExample(terms=_terms("300.00", BudgetPeriod.MONTHLY), set_before=139),
        frozen_before=30,
    ),
    Customer(
        address=address("ops", "windmuehle"),
        joined_before=130,
        budget=BudgetExample(
            terms=_terms("500.00", BudgetPeriod.MONTHLY),
            set_before=122,
            spent=("118.40", "96.15", "104.30", "83.45"),
            recorded_before=2,
        ),
    ),
    Customer(
        address=address("team", "leuchtturm"),
        joined_before=111,
        budget=BudgetExample(
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
        facts=(resource("shop-1"), resource("shop-2")),
    ),
    Customer(address=address("paula", "segelmacherei"), invitation=MEETUP, joined_before=7),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A visitor with an account, refused with `code`; facts happened when the visitor came."""

    address: str
    code: RefusalCode
    came_before: float
    decided_before: float | None = None
    is_new: bool = True
    facts: tuple[FactExample, ...] = ()
    tells_partner: bool = False


_NOW = timedelta(0)
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
        facts=(contract(ContractType.OFFLINE_DIRECT, signed_at=_NOW, effective_from=_NOW),),
    ),
    Visitor(
        address=address("shop", "kupferkanne"),
        code=RefusalCode.CASH_EXPENDITURE,
        came_before=31,
        facts=(cash("89.90", occurred_at=_NOW),),
    ),
    Visitor(
        address=address("hello", "papierboot"),
        code=RefusalCode.UNPAID_BILLS,
        came_before=19,
        facts=(bill("34.50", issued_at=_NOW),),
        tells_partner=True,
    ),
    Visitor(
        address=address("alina", "bernstein"),
        code=RefusalCode.EXISTING_ACCOUNT_NOT_ALLOWED,
        came_before=4,
        is_new=False,
    ),
)
REQUESTER = VISITORS[-1].address
REGISTERING = address("mia", "treibholz")
ENABLES_LATER = address("post", "kranich")
RECIPIENT = address("katja.lorenz", "sturmlaterne")
INVITED_MEMBER = address("jonas.brandt", "nordlicht")
