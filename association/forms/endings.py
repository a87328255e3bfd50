"""Asking to end an association, and answering: one form for the customer and the partner."""

from typing import TYPE_CHECKING

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from association.enums import EndAction
from partners.forms.reasons import reason_field
from web.number_fields import WholeNumberField

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class EndForm(forms.Form):
    """Asking needs a reason, declining may have one. `end_request` is the one that was shown."""

    action = forms.ChoiceField(choices=EndAction.choices, widget=forms.HiddenInput)
    end_request = WholeNumberField(required=False, widget=forms.HiddenInput)
    reason = reason_field(required=False, help_text="")

    def __init__(self, data: QueryDict | None = None, *, help_text: "StrOrPromise" = "") -> None:
        super().__init__(data)
        asks = self.data.get("action") == EndAction.ASK
        self.fields["end_request"].required = not asks
        reason = self.fields["reason"]
        reason.required, reason.help_text = asks, help_text
        reason.error_messages["required"] = _("Say why the association should end.")
