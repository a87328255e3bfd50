"""What is stored about users and customer accounts."""

from accounts.models.codes import VerificationCode
from accounts.models.customers import AccountType, CustomerAccount, RegistrationSite
from accounts.models.facts import (
    Accounting,
    Bill,
    Billing,
    CashExpenditure,
    Contract,
    ContractType,
    Coupon,
    EnterpriseRelation,
    MemberType,
    ReservedInstance,
    Resource,
    ResourceStatus,
    Spending,
)
from accounts.models.freezes import Freeze, FreezeCause, FreezeScope
from accounts.models.users import User

__all__ = [
    "AccountType",
    "Accounting",
    "Bill",
    "Billing",
    "CashExpenditure",
    "Contract",
    "ContractType",
    "Coupon",
    "CustomerAccount",
    "EnterpriseRelation",
    "Freeze",
    "FreezeCause",
    "FreezeScope",
    "MemberType",
    "RegistrationSite",
    "ReservedInstance",
    "Resource",
    "ResourceStatus",
    "Spending",
    "User",
    "VerificationCode",
]
