"""Who: users, customer accounts, the facts known about them, and freezes."""
