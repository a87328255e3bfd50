"""What a partner types to invite."""

from partners.forms.batches import BatchListForm, LinkBatchForm
from partners.forms.invitations import (
    LONGEST_LIFE,
    EmailInvitationForm,
    InvitationForm,
    LinkInvitationForm,
)
from partners.forms.mails import LARGEST_LIST, MailingForm, ManyEmailsForm, NewEmailForm
from partners.forms.members import InviteMemberForm, MemberForm, MembersForm
from partners.forms.requests import DismissForm, RequestListForm

__all__ = [
    "LARGEST_LIST",
    "LONGEST_LIFE",
    "BatchListForm",
    "DismissForm",
    "EmailInvitationForm",
    "InvitationForm",
    "InviteMemberForm",
    "LinkBatchForm",
    "LinkInvitationForm",
    "MailingForm",
    "ManyEmailsForm",
    "MemberForm",
    "MembersForm",
    "NewEmailForm",
    "RequestListForm",
]
