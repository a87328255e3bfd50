"""The pages of association."""
