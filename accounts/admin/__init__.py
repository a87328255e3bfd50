"""The admin of accounts: users, customer accounts, facts, and how users log in."""

from accounts.admin import customers, facts, hubs, logins, users

__all__ = ["customers", "facts", "hubs", "logins", "users"]
