"""The admin of partners: partners, their members, invitations and requests for one."""

from partners.admin.invitations import InvitationAdmin
from partners.admin.partners import PartnerAdmin, PartnerMemberAdmin
from partners.admin.requests import InvitationRequestAdmin

__all__ = ["InvitationAdmin", "InvitationRequestAdmin", "PartnerAdmin", "PartnerMemberAdmin"]
