"""The admin of partners: partners, their members, invitations and requests for one."""

from partners.admin.invitations import InvitationAdmin, InvitationRequestAdmin
from partners.admin.partners import PartnerAdmin, PartnerMemberAdmin

__all__ = ["InvitationAdmin", "InvitationRequestAdmin", "PartnerAdmin", "PartnerMemberAdmin"]
