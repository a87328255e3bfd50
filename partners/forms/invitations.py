"""What every form about invitations shares, and the forms of the command `invite`."""

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.fields import CountryField, OthersEmailField, capitalised
from partners.enums import AssociationType, InvitationProblem
from partners.forms.expiry import EndField, check_expiry
from partners.models import Partner
from partners.refusals import SENTENCES
from partners.services.invitation_drafts import MOST_USES
from web.number_fields import WholeNumberField
from web.text_fields import LineField, LinesField

LONGEST_LABEL = 120


class TermsForm(forms.Form):
    """What may change of an invitation later too."""

    label = LineField(
        label=_("Label"),
        max_length=LONGEST_LABEL,
        help_text=_("For you; customers do not see it."),
        error_messages={"required": _("Enter a label.")},
    )
    note = LinesField(
        label=_("Note to the customer"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    expires_at = EndField(
        label=_("Expires at"),
        required=False,
        error_messages={"invalid": _("Enter a date and a time like 2026-12-31 18:00.")},
    )

    def __init__(self, *args: Any, partner: Partner, now: datetime, **options: Any) -> None:
        super().__init__(*args, **options)
        self.partner = partner
        self.now = now

    def clean_expires_at(self) -> datetime | None:
        expires_at: datetime | None = self.cleaned_data["expires_at"]
        check_expiry(expires_at, now=self.now)
        return expires_at


class CustomerForm(forms.Form):
    """What the partner calls the customer of an invitation; the customer never reads it."""

    customer_name = LineField(
        label=_("Customer name"),
        max_length=120,
        required=False,
        help_text=_(
            "What you call the customer. Empty: the recipient’s name, or the account’s own."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    reference = LineField(
        label=_("Reference"),
        max_length=128,
        required=False,
        help_text=_("Your own key: a contract or customer number, say."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class InvitationForm(TermsForm):
    association_type = forms.ChoiceField(
        label=_("Association type"),
        choices=capitalised(AssociationType.choices),
        error_messages={"invalid_choice": _("Choose reseller or referral.")},
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=lambda: [("", _("The reader's own")), *settings.LANGUAGES],
        required=False,
    )
    country = CountryField(required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["language"].initial = self.partner.invitation_language

    def clean_association_type(self) -> str:
        association_type: str = self.cleaned_data["association_type"]
        if not self.partner.allows(association_type):
            raise forms.ValidationError(SENTENCES[InvitationProblem.TYPE_NOT_ALLOWED])
        return association_type


class MaxUsesForm(forms.Form):
    max_uses = WholeNumberField(
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


class LinkInvitationForm(InvitationForm, MaxUsesForm):
    """A link for many, with its QR code."""


class EmailInvitationForm(InvitationForm):
    recipient = OthersEmailField()


class DismissForm(forms.Form):
    reason = LinesField(
        label=_("Reason"),
        max_length=256,
        help_text=_("Your own people read it. The person who asked is not told."),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say why the request is dismissed.")},
    )
