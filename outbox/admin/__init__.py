"""The admin of the outbox: messages, an example of each kind, who does not want which."""

from outbox.admin import messages, suppressions

__all__ = ["messages", "suppressions"]
