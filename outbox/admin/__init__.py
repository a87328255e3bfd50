"""The admin of the outbox: its messages, and an example of each kind of e-mail."""

from outbox.admin.messages import OutboxMessageAdmin

__all__ = ["OutboxMessageAdmin"]
