"""What is stored about users and customer accounts."""

from accounts.models.codes import VerificationCode
from accounts.models.connected_logins import ConnectedLogin
from accounts.models.customers import CustomerAccount, Freeze
from accounts.models.facts import (
    Bill,
    CashExpenditure,
    Contract,
    Coupon,
    EnterpriseRelation,
    ReservedInstance,
    Resource,
    Spending,
)
from accounts.models.users import User, acts_for_provider

__all__ = [
    "Bill",
    "CashExpenditure",
    "ConnectedLogin",
    "Contract",
    "Coupon",
    "CustomerAccount",
    "EnterpriseRelation",
    "Freeze",
    "ReservedInstance",
    "Resource",
    "Spending",
    "User",
    "VerificationCode",
    "acts_for_provider",
]
