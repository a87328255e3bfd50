"""What a partner types to invite."""

from partners.forms.batches import BatchListForm, LinkBatchForm
from partners.forms.invitations import (
    LONGEST_LIFE,
    EmailInvitationForm,
    InvitationForm,
    LinkInvitationForm,
)
from partners.forms.mails import NewEmailForm
from partners.forms.members import InviteMemberForm, MemberForm, MembersForm
from partners.forms.requests import DismissForm, RequestListForm

__all__ = [
    "LONGEST_LIFE",
    "BatchListForm",
    "DismissForm",
    "EmailInvitationForm",
    "InvitationForm",
    "InviteMemberForm",
    "LinkBatchForm",
    "LinkInvitationForm",
    "MemberForm",
    "MembersForm",
    "NewEmailForm",
    "RequestListForm",
]
