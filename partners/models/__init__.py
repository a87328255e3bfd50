"""What is stored about partners and their invitations."""

from partners.models.invitations import (
    Channel,
    Invitation,
    InvitationRequest,
)
from partners.models.partners import (
    AssociationType,
    Partner,
    PartnerMember,
    PartnerRole,
    PartnerStatus,
)
from partners.refusal_codes import InvitationRefusal

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
