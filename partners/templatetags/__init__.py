"""Tags for the pages of the console."""
