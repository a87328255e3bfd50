"""What a partner types to invite by e-mail: what the mail says, and to whom it goes."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.fields import EmailField, capitalised
from partners.emails import default_subject
from partners.enums import AssociationType, ListProblem
from partners.forms.expiry import MomentField
from partners.forms.invitations import InvitationForm, refuse_more_lines
from partners.forms.lists import read_list
from partners.models import InvitationBatch, Partner
from partners.refusals import SENTENCES, sentence_for
from partners.services.mailings import ListedPerson
from web.refused import Refused

LARGEST_LIST = 4_000_000
LONGEST_SUBJECT = 150
LONGEST_LABEL = 120
LONGEST_NOTE = 500


class SubjectField(forms.CharField):
    """The subject of a mail: one line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            label=_("Subject"),
            max_length=LONGEST_SUBJECT,
            required=False,
            validators=[refuse_more_lines],
            **options,
        )


class NoteField(forms.CharField):
    """What the partner adds in its own words."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            label=_("Note to the customer"),
            max_length=LONGEST_NOTE,
            required=False,
            widget=forms.Textarea(attrs={"rows": 4}),
            help_text=_("Stands in the mail and on the invitation’s page."),
            **options,
        )


class MailForm(InvitationForm):
    """What every mail of a form carries."""

    subject = SubjectField()
    note = NoteField()
    label = forms.CharField(
        label=_("Label"),
        max_length=LONGEST_LABEL,
        required=False,
        validators=[refuse_more_lines],
        help_text=_("For you; customers do not see it."),
    )
    expires_at = MomentField(label=_("Expires at"))
    # Not `is_bound`: every form has an attribute of that name.
    recipient_only = forms.BooleanField(
        label=_("Only an account with this address may use it"), initial=True, required=False
    )

    def __init__(self, *args: Any, partner: Partner, now: datetime, **options: Any) -> None:
        super().__init__(*args, partner=partner, now=now, **options)
        self.fields["association_type"].choices = [  # type: ignore[attr-defined]
            choice for choice in capitalised(AssociationType.choices) if partner.allows(choice[0])
        ]
        self.fields["subject"].initial = default_subject(partner)
        expires_at = self.fields["expires_at"]
        expires_at.widget = forms.DateTimeInput(
            attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
        )
        expires_at.help_text = _(
            "Empty: seven days after it is sent. In your time zone, %(zone)s."
        ) % {"zone": partner.time_zone}

    def clean_subject(self) -> str:
        """Keep only a subject of the partner's own; the usual one is written by the mail."""
        subject: str = self.cleaned_data["subject"]
        return "" if subject == default_subject(self.partner) else subject

    def clean(self) -> dict[str, Any]:
        """Name the box as `create_invitation()` does."""
        super().clean()
        self.cleaned_data["is_bound"] = self.cleaned_data.pop("recipient_only", True)
        return self.cleaned_data


class NewEmailForm(MailForm):
    """An online invitation for one person."""

    recipient_name = forms.CharField(
        label=_("Name"),
        max_length=120,
        required=False,
        validators=[refuse_more_lines],
        help_text=_("The mail begins with it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    recipient = EmailField(
        error_messages={"required": _("Enter the e-mail address of the person to invite.")},
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    field_order = (
        *("recipient_name", "recipient", "association_type", "subject", "note"),
        *("country", "language", "expires_at", "label", "recipient_only"),
    )

    def clean(self) -> dict[str, Any]:
        """Name an invitation without a label after the person."""
        super().clean()
        found = self.cleaned_data
        if not found.get("label"):
            name = found.get("recipient_name") or found.get("recipient", "")
            found["label"] = name[:LONGEST_LABEL]
        return found


class MailingForm(forms.Form):
    """The words of a list's mails, once more before they are sent."""

    subject = SubjectField()
    note = NoteField()

    def __init__(self, *args: Any, batch: InvitationBatch, **options: Any) -> None:
        usual = default_subject(batch.partner)
        options["initial"] = {"subject": batch.subject or usual, "note": batch.note}
        super().__init__(*args, **options)
        self.usual = usual

    def clean_subject(self) -> str:
        """Keep only a subject of the partner's own."""
        subject: str = self.cleaned_data["subject"]
        return "" if subject == self.usual else subject


class ManyEmailsForm(MailForm):
    """Online invitations for the people of a list, pasted or in a file."""

    people_file = forms.FileField(
        label=_("CSV file"),
        required=False,
        allow_empty_file=True,
        help_text=_("UTF-8, at most 4 MB and 5,000 rows: name, email, country, note."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
    )
    people = forms.CharField(
        label=_("Or paste the list"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text=_("One person a row: name, email, country, note; or the addresses alone."),
    )

    field_order = (
        *("people_file", "people", "association_type", "subject", "note"),
        *("country", "language", "expires_at", "label", "recipient_only"),
    )
    is_too_large = False

    def clean_people_file(self) -> "UploadedFile[Any] | None":
        """Refuse a file that is too large, before it is read."""
        file: UploadedFile[Any] | None = self.cleaned_data["people_file"]
        if file is not None and (file.size or 0) > LARGEST_LIST:
            self.is_too_large = True
            raise ValidationError(SENTENCES[ListProblem.TOO_LARGE])
        return file

    def clean(self) -> dict[str, Any]:
        """Read the list; `listed` holds its people."""
        super().clean()
        found = self.cleaned_data
        file, text = found.pop("people_file", None), found.pop("people", "")
        self.listed: list[ListedPerson] = []
        if file is not None and text.strip():
            self.add_error("people", _("Choose a file or paste the list, not both."))
        elif not ({"people", "people_file"} & set(self.errors)):
            self._read(file, text)
        found["label"] = found.get("label") or str(_("List of %(day)s")) % {
            "day": timezone.localdate(self.now).isoformat()
        }
        return found

    def _read(self, file: "UploadedFile[Any] | None", text: str) -> None:
        name = "people" if file is None else "people_file"
        try:
            self.listed = read_list(text if file is None else file.read())
        except Refused as refused:
            self.add_error(name, sentence_for(refused))
        if self.listed and all(person.problem for person in self.listed):
            self.add_error(None, SENTENCES[ListProblem.NOTHING_GOOD])
