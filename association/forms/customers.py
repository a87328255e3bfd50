"""The console's forms about one customer: its name, freezes and the manager."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.enums import FreezeScope
from partners.forms.invitations import CustomerForm
from partners.forms.reasons import reason_field
from partners.models import PartnerMember
from web.text_fields import LinesField
from web.versioned_forms import VersionedForm


class FreezeFields(forms.Form):
    """What is frozen, of one customer or many, and why."""

    scope = forms.ChoiceField(
        label=_("What to freeze"),
        choices=[
            (
                FreezeScope.ACCOUNT,
                _(
                    "The account: it cannot buy, renew or change resources. What runs goes on, and"
                    " costs money."
                ),
            ),
            (
                FreezeScope.ACCOUNT_AND_RESOURCES,
                _("The account and its resources: what runs is stopped too, and new fees with it."),
            ),
        ],
        initial=FreezeScope.ACCOUNT,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what to freeze.")},
    )
    reason = reason_field(
        required=True,
        help_text=_("The customer reads it in an e-mail and under My partner."),
    )


class PartnerFreezeForm(VersionedForm, FreezeFields):
    """Freezing one customer; `shows` is the partner's open freeze."""


class UnfreezeFields(forms.Form):
    """Why the freezes end, of one customer or many."""

    reason = reason_field(
        required=True,
        help_text=_("Kept in the history; the customer reads it."),
    )


class UnfreezeForm(VersionedForm, UnfreezeFields):
    """Unfreezing one customer; `shows` are the open freezes."""


class CustomerNameForm(VersionedForm, CustomerForm):
    """What the partner calls a customer; `shows` are the present texts."""

    note = LinesField(
        label=_("Note"),
        max_length=500,
        required=False,
        help_text=_("Only your own people read name, reference and note. The customer does not."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )


def manager_choices(members: list[PartnerMember]) -> list[tuple[str, Any]]:
    return [(str(member.pk), member.user.email) for member in members]


class ManagerFields(forms.Form):
    """Who looks after one customer or many."""

    manager = forms.ChoiceField(
        label=_("Manager"),
        required=False,
        help_text=_("Managers see and serve their own customers, administrators all."),
    )

    def __init__(self, *args: Any, members: list[PartnerMember], **options: Any) -> None:
        super().__init__(*args, **options)
        self.members = {str(member.pk): member for member in members}
        field: Any = self.fields["manager"]
        field.choices = [("", _("No manager")), *manager_choices(members)]

    def chosen_member(self) -> PartnerMember | None:
        return self.members.get(self.cleaned_data["manager"])


class ManagerForm(VersionedForm, ManagerFields):
    """The manager of one customer; `shows` is the present one."""
