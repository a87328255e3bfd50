"""The admin of accounts: users, customer accounts, facts, and the evidence that is kept."""

from accounts.admin.customers import CustomerAccountAdmin, FreezeAdmin
from accounts.admin.evidence import AuditEventAdmin, OutboxMessageAdmin, VerificationCodeAdmin
from accounts.admin.facts import FactAdmin
from accounts.admin.logins import AuthenticatorAdmin, EmailAddressAdmin
from accounts.admin.users import GroupAdmin, UserAdmin

__all__ = [
    "AuditEventAdmin",
    "AuthenticatorAdmin",
    "CustomerAccountAdmin",
    "EmailAddressAdmin",
    "FactAdmin",
    "FreezeAdmin",
    "GroupAdmin",
    "OutboxMessageAdmin",
    "UserAdmin",
    "VerificationCodeAdmin",
]
