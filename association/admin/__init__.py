"""The admin of association: documents, the story of each association, and the preview."""

from association.admin import associations, attempts, documents, end_requests, terms

__all__ = ["associations", "attempts", "documents", "end_requests", "terms"]
