"""Invitations: making, following, changing, re-sending and revoking them."""

from partners.services.invitations.changing import (
    edit_invitation,
    resend_invitation,
    revoke_invitation,
)
from partners.services.invitations.counting import Progress, progress_of
from partners.services.invitations.following import (
    InvitationRefused,
    find_invitation,
    use_invitation,
)
from partners.services.invitations.mailing import has_mails_left
from partners.services.invitations.making import create_invitation, create_invitations, write_links
from partners.services.invitations.quotas import QuotaReached, check_quotas
from partners.services.invitations.terms import LIFE_OF_AN_EMAIL, MOST_USES, InvitationNotSaved

__all__ = [
    "LIFE_OF_AN_EMAIL",
    "MOST_USES",
    "InvitationNotSaved",
    "InvitationRefused",
    "Progress",
    "QuotaReached",
    "check_quotas",
    "create_invitation",
    "create_invitations",
    "edit_invitation",
    "find_invitation",
    "has_mails_left",
    "progress_of",
    "resend_invitation",
    "revoke_invitation",
    "use_invitation",
    "write_links",
]
