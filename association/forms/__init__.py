"""The forms of the journey, of My partner and of the console."""

from association.forms.authorizations import AuthorizationForm
from association.forms.budgets import BudgetForm, SetBudgetForm
from association.forms.customers import (
    CustomerSearchForm,
    ManagerForm,
    PartnerFreezeForm,
    UnfreezeForm,
)
from association.forms.history import HistoryForm
from association.forms.joining import (
    AskForm,
    EnableForm,
    InstructionsForm,
    LetterForm,
    RegisterForm,
    TokenForm,
)

__all__ = [
    "AskForm",
    "AuthorizationForm",
    "BudgetForm",
    "CustomerSearchForm",
    "EnableForm",
    "HistoryForm",
    "InstructionsForm",
    "LetterForm",
    "ManagerForm",
    "PartnerFreezeForm",
    "RegisterForm",
    "SetBudgetForm",
    "TokenForm",
    "UnfreezeForm",
]
