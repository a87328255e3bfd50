"""The admin of partners: partners, their members, invitations, batches, and requests for one."""

from partners.admin import batches, invitation_requests, invitations, notifications, partners

__all__ = ["batches", "invitation_requests", "invitations", "notifications", "partners"]
