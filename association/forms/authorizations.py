"""The customer's answer about the letter of authorization."""

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from association.enums import AuthorizationAnswer
from association.forms.budgets import LONGEST_REASON
from web.number_fields import WholeNumberField


class AuthorizationForm(forms.Form):
    """Revoking needs a reason; declining may have one."""

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
    reason = forms.CharField(
        label=_("Reason"),
        max_length=LONGEST_REASON,
        help_text=_("Your partner can read it. At most 256 characters."),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say why you revoke the authorization.")},
    )

    def __init__(
        self, data: QueryDict | None = None, *, needs_reason: bool, reason: str = ""
    ) -> None:
        super().__init__(data, initial={"reason": reason})
        self.fields["reason"].required = needs_reason
