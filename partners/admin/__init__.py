"""The admin of partners: partners, their members, invitations, batches, and requests for one."""

from partners.admin import (
    batches,
    bulk_actions,
    hubs,
    invitation_requests,
    invitations,
    notifications,
    partners,
)

__all__ = [
    "batches",
    "bulk_actions",
    "hubs",
    "invitation_requests",
    "invitations",
    "notifications",
    "partners",
]
