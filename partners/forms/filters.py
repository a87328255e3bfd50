"""What a member looks for in the lists of the console."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.fields import capitalised
from partners.enums import AssociationType, BatchState, Channel, InvitationState, PartnerRole
from partners.models import PartnerMember
from partners.tokens import LONGEST_PASTE
from web.number_fields import WholeNumberField
from web.text_fields import LineField

OPEN, NEWEST = "open", "newest"
# The filter's value for invitations whose e-mail was refused for good.
UNDELIVERED = "undelivered"


class SearchField(LineField):
    def __init__(self, label: Any, *, max_length: int = 120) -> None:
        widget = forms.TextInput(attrs={"type": "search"})
        super().__init__(label=label, max_length=max_length, required=False, widget=widget)


class FilterField(forms.ChoiceField):
    def __init__(self, label: Any, choices: Any) -> None:
        choices = [("", _("All")), *capitalised(choices)]
        super().__init__(label=label, choices=choices, required=False)


class InvitationListForm(forms.Form):
    searches_parts = True
    q = SearchField(
        _("Part of the label, name, address or reference, or a link"), max_length=LONGEST_PASTE
    )
    state = FilterField(_("State"), InvitationState.choices)
    channel = FilterField(_("Channel"), Channel.choices)
    association_type = FilterField(_("Type"), AssociationType.choices)
    delivery = FilterField(_("Delivery"), [(UNDELIVERED, _("Not delivered"))])
    batch = WholeNumberField(
        required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput
    )
    order = forms.ChoiceField(
        label=_("Order"),
        choices=[
            (NEWEST, _("Newest first")),
            ("used", _("Most used first")),
            ("expiring", _("Next to expire (only what expires)")),
        ],
        initial=NEWEST,
        required=False,
    )

    def __init__(self, *args: Any, member: PartnerMember, **options: Any) -> None:
        super().__init__(*args, **options)
        order: Any = self.fields["order"]
        if self.data.get("batch"):
            order.choices = [(NEWEST, _("As in the batch")), *order.choices[1:]]
        if member.is_administrator:
            members = member.partner.members.order_by("user__email")
            self.fields["created_by"] = forms.ChoiceField(
                label=_("Created by"),
                choices=[("", _("Everybody")), *members.values_list("pk", "user__email")],
                required=False,
            )
            self.order_fields(
                ["q", "state", "channel", "association_type", "delivery", "created_by", "order"]
            )


class BatchListForm(forms.Form):
    q = SearchField(_("Search for a label"))
    state = FilterField(
        _("State"),
        [
            (BatchState.DRAFT, _("Not started")),
            (BatchState.RUNNING, _("Running")),
            (BatchState.FINISHED, _("All created")),
            (BatchState.CANCELLED, _("Cancelled")),
        ],
    )


class InvitationRequestListForm(forms.Form):
    q = SearchField(_("Search for an address or a label"))
    state = forms.ChoiceField(
        label=_("State"),
        choices=[
            (OPEN, _("Open")),
            ("answered", _("Answered")),
            ("dismissed", _("Dismissed")),
            ("all", _("All")),
        ],
        initial=OPEN,
        required=False,
    )


class MembersForm(forms.Form):
    q = SearchField(_("Beginning of the account name, or a whole e-mail address"), max_length=254)
    role = forms.ChoiceField(
        label=_("Role"),
        required=False,
        choices=[("", _("Any role")), *capitalised(PartnerRole.choices)],
    )
