"""The admin of accounts: users, customer accounts, facts, and the evidence that is kept."""

from accounts.admin.codes import VerificationCodeAdmin
from accounts.admin.customers import CustomerAccountAdmin, FreezeAdmin
from accounts.admin.facts import FactAdmin
from accounts.admin.logins import AuthenticatorAdmin, EmailAddressAdmin
from accounts.admin.users import GroupAdmin, UserAdmin

__all__ = [
    "AuthenticatorAdmin",
    "CustomerAccountAdmin",
    "EmailAddressAdmin",
    "FactAdmin",
    "FreezeAdmin",
    "GroupAdmin",
    "UserAdmin",
    "VerificationCodeAdmin",
]
