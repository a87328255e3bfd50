"""The admin of association: documents, the story of each association, and the preview."""

from association.admin import associations, attempts, documents, terms

__all__ = ["associations", "attempts", "documents", "terms"]
