"""What is stored about partners and their invitations."""

from partners.models.invitations import (
    Channel,
    Invitation,
    InvitationRefusal,
    InvitationRequest,
)
from partners.models.partners import (
    AssociationType,
    Partner,
    PartnerMember,
    PartnerRole,
    PartnerStatus,
)

__all__ = [
    "AssociationType",
    "Channel",
    "Invitation",
    "InvitationRefusal",
    "InvitationRequest",
    "Partner",
    "PartnerMember",
    "PartnerRole",
    "PartnerStatus",
]
