"""Partner members: who they are, inviting them, and changing what they may do."""

from partners.services.members.answering import (
    accept_member_invitation,
    decline_member_invitation,
    has_member_invitation,
    member_invitations_of,
)
from partners.services.members.changing import (
    add_member,
    change_member,
    remove_member,
    was_removed,
)
from partners.services.members.inviting import (
    LIFE,
    invite_member,
    withdraw_member_invitation,
)
from partners.services.members.people import (
    MOST_COUNTED,
    find_member,
    partner_recipients,
    with_customer_counts,
)
from partners.services.members.terms import MemberRefused

__all__ = [
    "LIFE",
    "MOST_COUNTED",
    "MemberRefused",
    "accept_member_invitation",
    "add_member",
    "change_member",
    "decline_member_invitation",
    "find_member",
    "has_member_invitation",
    "invite_member",
    "member_invitations_of",
    "partner_recipients",
    "remove_member",
    "was_removed",
    "with_customer_counts",
    "withdraw_member_invitation",
]
