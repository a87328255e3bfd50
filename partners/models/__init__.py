"""What is stored about partners and their invitations."""

from partners.models.batches import BatchRow, InvitationBatch
from partners.models.invitations import (
    Channel,
    Invitation,
    InvitationRequest,
    InvitationState,
)
from partners.models.members import MemberInvitation, PartnerMember, PartnerRole
from partners.models.partners import AssociationType, Partner, PartnerStatus
from partners.refusal_codes import InvitationRefusal

__all__ = [
    "AssociationType",
    "BatchRow",
    "Channel",
    "Invitation",
    "InvitationBatch",
    "InvitationRefusal",
    "InvitationRequest",
    "InvitationState",
    "MemberInvitation",
    "Partner",
    "PartnerMember",
    "PartnerRole",
    "PartnerStatus",
]
