"""What a partner types to invite."""

from partners.forms.batches import BatchListForm, LinkBatchForm
from partners.forms.expiry import LONGEST_LIFE
from partners.forms.invitation_list import InvitationListForm
from partners.forms.invitation_requests import DismissForm, RequestListForm
from partners.forms.invitations import (
    EmailInvitationForm,
    InvitationForm,
    LinkInvitationForm,
)
from partners.forms.links import EditInvitationForm, NewLinkForm, allowed_types, copied_terms
from partners.forms.mails import LARGEST_LIST, MailingForm, ManyEmailsForm, NewEmailForm
from partners.forms.members import InviteMemberForm, MemberForm, MembersForm

__all__ = [
    "LARGEST_LIST",
    "LONGEST_LIFE",
    "BatchListForm",
    "DismissForm",
    "EditInvitationForm",
    "EmailInvitationForm",
    "InvitationForm",
    "InvitationListForm",
    "InviteMemberForm",
    "LinkBatchForm",
    "LinkInvitationForm",
    "MailingForm",
    "ManyEmailsForm",
    "MemberForm",
    "MembersForm",
    "NewEmailForm",
    "NewLinkForm",
    "RequestListForm",
    "allowed_types",
    "copied_terms",
]
