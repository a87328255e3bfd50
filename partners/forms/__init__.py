"""What a partner types to invite."""

from partners.forms.invitations import (
    LONGEST_LIFE,
    EmailInvitationForm,
    InvitationForm,
    LinkInvitationForm,
)

__all__ = ["LONGEST_LIFE", "EmailInvitationForm", "InvitationForm", "LinkInvitationForm"]
