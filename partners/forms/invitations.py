"""What a partner types to make one invitation, by link or by e-mail."""

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.fields import CountryField, EmailField, capitalised
from outbox.services.rendering import is_one_line
from partners.enums import AssociationType, InvitationProblem
from partners.forms.expiry import refuse_strange_expiry
from partners.models import Partner
from partners.refusals import SENTENCES
from partners.services.invitations import MOST_USES


def refuse_more_lines(text: str) -> None:
    """Refuse control characters, and marks that turn the direction of writing."""
    if not is_one_line(text):
        raise forms.ValidationError(_("Use one line, without control characters."), code="lines")


def _languages() -> list[tuple[str, Any]]:
    return [("", _("The reader's own")), *settings.LANGUAGES]


class InvitationForm(forms.Form):
    """What every invitation carries; `cleaned_data` are arguments of `create_invitation()`."""

    association_type = forms.ChoiceField(
        label=_("Association type"),
        choices=capitalised(AssociationType.choices),
        error_messages={"invalid_choice": _("Choose reseller or referral.")},
    )
    label = forms.CharField(
        label=_("Label"),
        max_length=120,
        validators=[refuse_more_lines],
        help_text=_("For you; customers do not see it."),
        error_messages={"required": _("Enter a label.")},
    )
    note = forms.CharField(
        label=_("Note to the customer"), max_length=500, required=False, widget=forms.Textarea
    )
    language = forms.ChoiceField(label=_("Language"), choices=_languages, required=False)
    country = CountryField(required=False)
    expires_at = forms.DateTimeField(
        label=_("Expires at"),
        required=False,
        error_messages={"invalid": _("Enter a date and a time like 2026-12-31 18:00.")},
    )

    def __init__(self, *args: Any, partner: Partner, now: datetime, **options: Any) -> None:
        super().__init__(*args, **options)
        self.partner = partner
        self.now = now

    def clean_association_type(self) -> str:
        """Refuse a type that the provider has not granted."""
        association_type: str = self.cleaned_data["association_type"]
        if not self.partner.allows(association_type):
            raise forms.ValidationError(SENTENCES[InvitationProblem.TYPE_NOT_ALLOWED])
        return association_type

    def clean_expires_at(self) -> datetime | None:
        """Reject a moment that has passed or is too far ahead."""
        return refuse_strange_expiry(self.cleaned_data["expires_at"], now=self.now)


class LinkInvitationForm(InvitationForm):
    """A link for many, with its QR code."""

    max_uses = forms.IntegerField(
        label=_("Most uses"),
        required=False,
        min_value=1,
        max_value=MOST_USES,
        help_text=_("Leave empty for no limit."),
        error_messages={
            "invalid": _("Enter a whole number of uses."),
            "min_value": _("Allow at least one use."),
            "max_value": _("It cannot allow so many uses."),
        },
    )


class EmailInvitationForm(InvitationForm):
    """An online invitation for one person."""

    recipient = EmailField(
        error_messages={"required": _("Enter the e-mail address of the person to invite.")}
    )
    recipient_name = forms.CharField(label=_("Name"), max_length=120, required=False)
    # Not `is_bound`: every form has an attribute of that name.
    recipient_only = forms.BooleanField(
        label=_("Only an account with this address may use it"), initial=True, required=False
    )

    def clean(self) -> dict[str, Any]:
        """Name the box as `create_invitation()` does."""
        super().clean()
        self.cleaned_data["is_bound"] = self.cleaned_data.pop("recipient_only")
        return self.cleaned_data
