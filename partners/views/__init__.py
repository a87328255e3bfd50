"""The pages of partners: their console."""
