"""The form of the demo's mailbox."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.fields import EmailField
from web.email_addresses import canonical_address


class MailboxForm(forms.Form):
    """Whose mails the demo's mailbox shows: one address, or everybody's."""

    to = EmailField(label=_("Only mails to this address"), required=False)

    def clean_to(self) -> str:
        """Return the canonical form, which mails are compared by; empty for everybody."""
        typed: str = self.cleaned_data["to"]
        return canonical_address(typed) if typed else ""
