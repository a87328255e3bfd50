"""Asking to end an association, and answering: one form for the customer and the partner."""

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from association.enums import EndAction
from association.forms.budgets import reason_field
from web.number_fields import WholeNumberField


class EndForm(forms.Form):
    """Asking needs a reason, declining may have one. `end_request` is the one that was shown."""

    action = forms.ChoiceField(choices=EndAction.choices, widget=forms.HiddenInput)
    end_request = WholeNumberField(required=False, widget=forms.HiddenInput)
    reason = reason_field(required=False, help_text="")

    def __init__(self, data: QueryDict | None = None, *, help_text: str = "") -> None:
        super().__init__(data)
        asks = self.is_bound and self.data.get("action") == EndAction.ASK
        self.fields["reason"].required = asks or not self.is_bound
        self.fields["reason"].help_text = help_text
        self.fields["end_request"].required = self.is_bound and not asks
        self.fields["reason"].error_messages["required"] = _("Say why the association should end.")
