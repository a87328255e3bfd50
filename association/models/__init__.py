"""What is stored about documents, attempts, associations and what follows them."""

from association.enums import DocumentKind
from association.models.associations import Association, Authorization
from association.models.attempts import Attempt
from association.models.budgets import Budget, BudgetAlert, BudgetRequest
from association.models.documents import Consent, LegalDocument
from association.models.end_requests import EndRequest
from association.models.notices import PartnerMessage, PartnerTold, ResumeEmail, ResumeReminder
from partners.enums import BudgetPeriod, OnExhaustion

__all__ = [
    "Association",
    "Attempt",
    "Authorization",
    "Budget",
    "BudgetAlert",
    "BudgetPeriod",
    "BudgetRequest",
    "Consent",
    "DocumentKind",
    "EndRequest",
    "LegalDocument",
    "OnExhaustion",
    "PartnerMessage",
    "PartnerTold",
    "ResumeEmail",
    "ResumeReminder",
]
