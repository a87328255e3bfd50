"""What a customer answers to a request for an authorization, or says about one that was given."""

from django import forms
from django.db import models
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

LONGEST_REASON = 256


class Answer(models.TextChoices):
    """What can be done about the letter."""

    AGREE = "agree", _("Agree to the letter")
    DECLINE = "decline", _("Decline")
    REVOKE = "revoke", _("Revoke")


class AuthorizationForm(forms.Form):
    """The customer's answer, with the request and the letter that the page showed.

    A reason must be given for revoking; for declining it may.
    """

    action = forms.ChoiceField(
        choices=Answer.choices,
        widget=forms.HiddenInput,
        error_messages={
            "required": _("Choose whether you agree, decline or revoke."),
            "invalid_choice": _("Choose whether you agree, decline or revoke."),
        },
    )
    authorization = forms.IntegerField(required=False, widget=forms.HiddenInput)
    shown_letter = forms.IntegerField(required=False, widget=forms.HiddenInput)
    reason = forms.CharField(
        label=_("Reason"),
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say why you revoke the authorization.")},
    )

    def __init__(
        self, data: QueryDict | None = None, *, needs_reason: bool, reason: str = ""
    ) -> None:
        super().__init__(data, initial={"reason": reason})
        self.fields["reason"].required = needs_reason
        self.fields["reason"].help_text = _(
            "Your partner can read it. At most %(count)s characters."
        ) % {"count": LONGEST_REASON}

    @classmethod
    def of_answer(cls, data: QueryDict) -> "AuthorizationForm":
        """Return the form that was sent."""
        return cls(data, needs_reason=data.get("action") == Answer.REVOKE)
