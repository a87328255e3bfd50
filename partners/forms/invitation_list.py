"""What a member looks for among the invitations."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.fields import capitalised
from partners.enums import AssociationType, Channel, InvitationState
from partners.models import PartnerMember

if TYPE_CHECKING:
    MemberChoiceField = forms.ModelChoiceField[PartnerMember]
else:
    MemberChoiceField = forms.ModelChoiceField

NEWEST, MOST_USED, EXPIRING = "newest", "used", "expiring"
ORDERS = [
    (NEWEST, _("Newest first")),
    (MOST_USED, _("Most used first")),
    (EXPIRING, _("Expiring first")),
]


def _all_or(choices: Any) -> list[tuple[Any, Any]]:
    return [("", _("All")), *capitalised(choices)]


class _MakerField(MemberChoiceField):
    """A member of the partner, by the address that colleagues know."""

    def label_from_instance(self, obj: PartnerMember) -> str:
        """Return the member's e-mail address."""
        return obj.user.email


class InvitationListForm(forms.Form):
    """Search, filters and order of the invitations; who made them is for administrators."""

    q = forms.CharField(
        label=_("Part of the label, a link, or the recipient’s whole address"),
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    state = forms.ChoiceField(
        label=_("State"), choices=_all_or(InvitationState.choices), required=False
    )
    channel = forms.ChoiceField(
        label=_("Channel"), choices=_all_or(Channel.choices), required=False
    )
    association_type = forms.ChoiceField(
        label=_("Type"), choices=_all_or(AssociationType.choices), required=False
    )
    batch = forms.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput
    )
    order = forms.ChoiceField(label=_("Order"), choices=ORDERS, initial=NEWEST, required=False)

    def __init__(self, *args: Any, member: PartnerMember, **options: Any) -> None:
        super().__init__(*args, **options)
        if member.is_administrator:
            self.fields["created_by"] = _MakerField(
                label=_("Created by"),
                queryset=member.partner.members.select_related("user").order_by("user__email"),
                empty_label=_("Everybody"),
                required=False,
            )
            self.order_fields(["q", "state", "channel", "association_type", "created_by", "order"])
