"""The customer's answer about the letter of authorization."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from association.enums import AuthorizationAnswer
from partners.forms.reasons import AT_MOST, LONGEST_REASON
from web.number_fields import WholeNumberField
from web.text_fields import LinesField
from web.versioned_forms import NOT_SHOWN


class AuthorizationForm(forms.Form):
    """Agreeing needs the version that the page showed; revoking needs a reason."""

    action = forms.ChoiceField(
        choices=AuthorizationAnswer.choices,
        widget=forms.HiddenInput,
        error_messages={
            "required": _("Choose whether you agree, decline or revoke."),
            "invalid_choice": _("Choose whether you agree, decline or revoke."),
        },
    )
    authorization = WholeNumberField(required=False, widget=forms.HiddenInput)
    shown_letter = WholeNumberField(required=False, widget=forms.HiddenInput)
    reason = LinesField(
        label=_("Reason"),
        max_length=LONGEST_REASON,
        help_text=format_lazy("{} {}", _("Your partner reads it."), AT_MOST),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say why you revoke the authorization.")},
    )

    def __init__(
        self, data: QueryDict | None = None, *, needs_reason: bool, reason: str = ""
    ) -> None:
        super().__init__(data, initial={"reason": reason})
        self.fields["reason"].required = needs_reason

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        agrees = cleaned.get("action") == AuthorizationAnswer.AGREE
        if agrees and cleaned.get("shown_letter") is None:
            # One sentence, also for a version that is no number.
            self.errors.pop("shown_letter", None)
            raise forms.ValidationError(NOT_SHOWN)
        return cleaned
