"""The console's forms about customers: freezes, the manager, the filters of the list."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.enums import FreezeScope
from accounts.fields import capitalised
from association.forms.budgets import reason_field
from association.services.customer_lists import NO_MANAGER
from partners.enums import AssociationType
from partners.models import PartnerMember


class PartnerFreezeForm(forms.Form):
    """What to freeze, and why."""

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
        help_text=_("At most 256 characters. The customer reads it, by mail and under My partner."),
    )


class UnfreezeForm(forms.Form):
    """The reason for unfreezing."""

    reason = reason_field(
        required=True,
        help_text=_("At most 256 characters. Kept in the history; the customer reads it."),
    )


def _manager_choices(members: list[PartnerMember]) -> list[tuple[str, Any]]:
    return [(str(member.pk), member.user.email) for member in members]


class ManagerForm(forms.Form):
    """Which member looks after the customer; may be empty."""

    manager = forms.ChoiceField(
        label=_("Manager"),
        required=False,
        help_text=_("Managers see and serve their own customers, administrators all."),
    )

    def __init__(self, *args: Any, members: list[PartnerMember], **options: Any) -> None:
        super().__init__(*args, **options)
        self.members = {str(member.pk): member for member in members}
        field: Any = self.fields["manager"]
        field.choices = [("", _("Nobody")), *_manager_choices(members)]

    def chosen_member(self) -> PartnerMember | None:
        return self.members.get(self.cleaned_data["manager"])


class CustomerSearchForm(forms.Form):
    """The search and the filters of the list of customers."""

    q = forms.CharField(
        label=_("Beginning of the account name, or whole e-mail address"),
        required=False,
        max_length=254,
        widget=forms.SearchInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    status = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=[
            ("", _("All")),
            ("waiting", _("Waiting for a budget")),
            ("frozen", _("Frozen")),
            ("free", _("Not frozen")),
        ],
    )
    association_type = forms.ChoiceField(
        label=_("Type"),
        required=False,
        choices=[("", _("All")), *capitalised(AssociationType.choices)],
    )
    budget = forms.ChoiceField(
        label=_("Budget"),
        required=False,
        choices=[("", _("All")), ("with", _("With")), ("without", _("Without"))],
    )
    manager = forms.ChoiceField(label=_("Manager"), required=False)

    def __init__(self, *args: Any, members: list[PartnerMember], **options: Any) -> None:
        super().__init__(*args, **options)
        if not members:
            del self.fields["manager"]
            return
        field: Any = self.fields["manager"]
        field.choices = [("", _("All")), (NO_MANAGER, _("Nobody")), *_manager_choices(members)]
