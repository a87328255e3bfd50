"""Factories for tests: one module per app, all reached from here."""

from tests.factories.accounts import (
    PASSWORD,
    BillFactory,
    CashExpenditureFactory,
    ContractFactory,
    CouponFactory,
    CustomerAccountFactory,
    EnterpriseRelationFactory,
    FreezeFactory,
    ReservedInstanceFactory,
    ResourceFactory,
    SpendingFactory,
    UserFactory,
)
from tests.factories.association import (
    ADDRESS,
    BROWSER_SECRET,
    AttemptFactory,
    LegalDocumentFactory,
    enabling_of,
    make_associated,
    make_attempt,
)
from tests.factories.partners import (
    InvitationFactory,
    InvitationRequestFactory,
    PartnerFactory,
    PartnerMemberFactory,
)

__all__ = [
    "ADDRESS",
    "BROWSER_SECRET",
    "PASSWORD",
    "AttemptFactory",
    "BillFactory",
    "CashExpenditureFactory",
    "ContractFactory",
    "CouponFactory",
    "CustomerAccountFactory",
    "EnterpriseRelationFactory",
    "FreezeFactory",
    "InvitationFactory",
    "InvitationRequestFactory",
    "LegalDocumentFactory",
    "PartnerFactory",
    "PartnerMemberFactory",
    "ReservedInstanceFactory",
    "ResourceFactory",
    "SpendingFactory",
    "UserFactory",
    "enabling_of",
    "make_associated",
    "make_attempt",
]
