"""The admin of association: documents, the story of each association, and the preview."""

from association.admin import accounts, associations, attempts, documents, end_requests, hubs, terms

__all__ = ["accounts", "associations", "attempts", "documents", "end_requests", "hubs", "terms"]
