"""What customers tick and type on the journey, and partners in their console."""

from association.forms.budgets import BudgetForm
from association.forms.history import HistoryForm
from association.forms.joining import (
    AskForm,
    EnableForm,
    InstructionsForm,
    LetterForm,
    TokenForm,
)

__all__ = [
    "AskForm",
    "BudgetForm",
    "EnableForm",
    "HistoryForm",
    "InstructionsForm",
    "LetterForm",
    "TokenForm",
]
