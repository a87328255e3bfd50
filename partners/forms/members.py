"""What an administrator types about members; `cleaned_data` are arguments of the services."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.fields import OthersEmailField
from partners.enums import PartnerRole
from web.versioned_forms import VersionedForm


class MemberForm(forms.Form):
    role = forms.ChoiceField(
        label=_("Role"),
        choices=[
            (
                PartnerRole.MANAGER.value,
                _(
                    "Manager: their own invitations, and the customers who join by them or are"
                    " assigned to them"
                ),
            ),
            (
                PartnerRole.ADMINISTRATOR.value,
                _("Administrator: everything of the partner, its members included"),
            ),
        ],
        initial=PartnerRole.MANAGER,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose manager or administrator."),
            "invalid_choice": _("Choose manager or administrator."),
        },
    )
    may_see_addresses = forms.BooleanField(
        label=_("As a manager: may reveal customers’ e-mail addresses"),
        required=False,
        help_text=_(
            "A manager sees them masked, and with this reveals one at a time, which is recorded."
            " Administrators see all in full, with or without it."
        ),
    )


class EditMemberForm(VersionedForm, MemberForm):
    """`shows` are the member's terms."""


class InviteMemberForm(MemberForm):
    address = OthersEmailField()

    field_order = ("address", "role", "may_see_addresses")
