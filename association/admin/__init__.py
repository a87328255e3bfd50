"""The admin of association: documents, the story of each association, and the preview."""

from association.admin.associations import AssociationAdmin
from association.admin.attempts import AttemptAdmin, ConsentAdmin
from association.admin.documents import LegalDocumentAdmin
from association.admin.terms import (
    AuthorizationAdmin,
    BudgetAdmin,
    BudgetAlertAdmin,
    BudgetRequestAdmin,
)

__all__ = [
    "AssociationAdmin",
    "AttemptAdmin",
    "AuthorizationAdmin",
    "BudgetAdmin",
    "BudgetAlertAdmin",
    "BudgetRequestAdmin",
    "ConsentAdmin",
    "LegalDocumentAdmin",
]
