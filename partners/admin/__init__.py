"""The admin of partners: members, invitations, batches, requests for one, events."""

from partners.admin import (
    batches,
    bulk_actions,
    events,
    hubs,
    invitation_requests,
    invitations,
    notifications,
    partners,
)

__all__ = [
    "batches",
    "bulk_actions",
    "events",
    "hubs",
    "invitation_requests",
    "invitations",
    "notifications",
    "partners",
]
