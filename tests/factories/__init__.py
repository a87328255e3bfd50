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
from tests.factories.partners import (
    InvitationFactory,
    InvitationRequestFactory,
    PartnerFactory,
    PartnerMemberFactory,
)

__all__ = [
    "PASSWORD",
    "BillFactory",
    "CashExpenditureFactory",
    "ContractFactory",
    "CouponFactory",
    "CustomerAccountFactory",
    "EnterpriseRelationFactory",
    "FreezeFactory",
    "InvitationFactory",
    "InvitationRequestFactory",
    "PartnerFactory",
    "PartnerMemberFactory",
    "ReservedInstanceFactory",
    "ResourceFactory",
    "SpendingFactory",
    "UserFactory",
]
