"""What is stored about users and customer accounts."""

from accounts.models.audit import AuditEvent
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
from accounts.models.outbox import OutboxMessage
from accounts.models.users import User

__all__ = [
    "AccountType",
    "Accounting",
    "AuditEvent",
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
    "OutboxMessage",
    "RegistrationSite",
    "ReservedInstance",
    "Resource",
    "ResourceStatus",
    "Spending",
    "User",
    "VerificationCode",
]
