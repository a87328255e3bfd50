"""The admin of partners: partners, their members, invitations, batches, and requests for one."""

from partners.admin.batches import BatchRowAdmin, InvitationBatchAdmin
from partners.admin.invitation_requests import InvitationRequestAdmin
from partners.admin.invitations import InvitationAdmin
from partners.admin.partners import MemberInvitationAdmin, PartnerAdmin, PartnerMemberAdmin

__all__ = [
    "BatchRowAdmin",
    "InvitationAdmin",
    "InvitationBatchAdmin",
    "InvitationRequestAdmin",
    "MemberInvitationAdmin",
    "PartnerAdmin",
    "PartnerMemberAdmin",
]
