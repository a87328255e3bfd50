"""What is stored about partners and their invitations."""

from partners.models.batches import BatchRow, InvitationBatch
from partners.models.invitations import Invitation, InvitationRequest
from partners.models.logos import PartnerLogo
from partners.models.members import MemberInvitation, PartnerMember
from partners.models.partners import Partner

__all__ = [
    "BatchRow",
    "Invitation",
    "InvitationBatch",
    "InvitationRequest",
    "MemberInvitation",
    "Partner",
    "PartnerLogo",
    "PartnerMember",
]
