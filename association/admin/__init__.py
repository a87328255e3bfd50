"""The admin of association: documents, the story of each association, and the preview."""

from association.admin.associations import AssociationAdmin, AuthorizationAdmin, BudgetAdmin
from association.admin.attempts import AttemptAdmin, ConsentAdmin
from association.admin.documents import LegalDocumentAdmin

__all__ = [
    "AssociationAdmin",
    "AttemptAdmin",
    "AuthorizationAdmin",
    "BudgetAdmin",
    "ConsentAdmin",
    "LegalDocumentAdmin",
]
