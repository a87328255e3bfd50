"""The story: documents, attempts, eligibility, the association and what follows it."""
