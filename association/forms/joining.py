"""The forms with which a visitor registers, asks for an invitation, or types its token."""

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.fields import EmailField
from accounts.forms import CountryAndEmailForm
from association.models import Attempt
from partners.tokens import LONGEST_PASTE, token_in
from web.email_addresses import canonical_address, mask_address, readable_domains
from web.text_fields import LineField


class RegisterForm(CountryAndEmailForm):
    def __init__(self, data: QueryDict | None = None, *, attempt: Attempt) -> None:
        self.invitation = attempt.invitation
        country = attempt.registration_country or self.invitation.country
        super().__init__(data, initial={"country": country, "email": attempt.registration_email})
        if self.invitation.is_bound:
            self.fields["email"].help_text = _("This invitation is for %(address)s.") % {
                "address": self.invitation.masked_recipient
            }
        elif self.invitation.allowed_domains:
            self.fields["email"].help_text = _("Use an address at %(domains)s.") % {
                "domains": readable_domains(self.invitation.allowed_domains)
            }

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        invitation = self.invitation
        if invitation.is_bound and canonical_address(email) != invitation.recipient:
            raise forms.ValidationError(
                _("This invitation was sent to %(address)s. Use that address."),
                params={"address": mask_address(invitation.recipient)},
            )
        if not invitation.allows_address(canonical_address(email)):
            raise forms.ValidationError(
                _("This invitation is for addresses at %(domains)s. Use such an address."),
                params={"domains": readable_domains(invitation.allowed_domains)},
            )
        return email


class AskForm(forms.Form):
    email = EmailField(
        label=_("E-mail address of your account"),
        help_text=_("The invitation would be sent there, and only this account could use it."),
    )


class TokenForm(forms.Form):
    """An invitation's token, typed by hand, or a link that was pasted."""

    token = LineField(
        label=_("Invitation"),
        help_text=_("The 26 letters and digits printed under the QR code, or the whole link."),
        max_length=LONGEST_PASTE,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
        error_messages={"required": _("Enter the letters and digits of your invitation.")},
    )

    def clean_token(self) -> str:
        token = token_in(self.cleaned_data["token"])
        if token is None:
            raise forms.ValidationError(
                _("An invitation has 26 letters and digits. Check what you entered."),
            )
        return token
