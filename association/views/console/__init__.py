"""The console's pages about customers: who waits, how attempts went, what is done for whom."""
