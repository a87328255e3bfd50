"""The admin of partners: partners, their members, invitations, batches, and requests for one."""

from partners.admin import batches, hubs, invitation_requests, invitations, notifications, partners

__all__ = ["batches", "hubs", "invitation_requests", "invitations", "notifications", "partners"]
