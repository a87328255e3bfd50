"""What is stored about partners and their invitations."""

from partners.models.batches import BatchRow, InvitationBatch
from partners.models.bulk_actions import BulkAction, BulkActionRow
from partners.models.invitation_requests import InvitationRequest
from partners.models.invitations import Invitation
from partners.models.logos import PartnerLogo
from partners.models.members import MemberInvitation, PartnerMember
from partners.models.notifications import DigestEntry, MemberDigest, NotificationChoice
from partners.models.partners import Partner

__all__ = [
    "BatchRow",
    "BulkAction",
    "BulkActionRow",
    "DigestEntry",
    "Invitation",
    "InvitationBatch",
    "InvitationRequest",
    "MemberDigest",
    "MemberInvitation",
    "NotificationChoice",
    "Partner",
    "PartnerLogo",
    "PartnerMember",
]
