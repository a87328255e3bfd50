"""The admin of the outbox: messages, an example of each kind, who does not want which, events."""

from outbox.admin import events, messages, suppressions

__all__ = ["events", "messages", "suppressions"]
