"""Tags for the pages of the journey."""
