"""What a partner types to invite by e-mail: what the e-mail says, and to whom it goes."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.fields import OthersEmailField
from partners.contact_lists.reading import ContactList, read_list
from partners.emails import default_subject
from partners.enums import ListProblem
from partners.forms.expiry import DayAndTimeInput, MomentField
from partners.forms.invitations import LONGEST_LABEL, CustomerForm, InvitationForm
from partners.forms.links import TYPES, allowed_types
from partners.forms.presets import PRESET, PresetForm
from partners.models import BatchRow, InvitationBatch, Partner
from partners.refusals import SENTENCES, sentence_for
from partners.services.known_people import mark_known_people, problem_of_known
from partners.services.unsubscribe_links import unsubscribed
from web.email_addresses import canonical_address
from web.folded_fields import FoldedFields
from web.refused import Refused
from web.text_fields import LineField, LinesField

LARGEST_LIST = 4_000_000
ORDER_OF_TERMS = (
    *("association_type", "subject", "note", "country", "language"),
    *("expires_at", "label", "recipient_only", *PRESET),
)


class WordsForm(forms.Form):
    partner: Partner

    subject = LineField(label=_("Subject"), max_length=150, required=False)
    note = LinesField(
        label=_("Note to the customer"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Shown in the e-mail and on the invitation’s page."),
    )

    def clean_subject(self) -> str:
        """Keep only a subject of the partner's own: `emails.invitation()` writes the usual one."""
        subject: str = self.cleaned_data["subject"]
        return "" if subject == default_subject(self.partner) else subject


class MailingForm(WordsForm):
    invites_again = forms.BooleanField(required=False)

    def __init__(
        self, *args: Any, batch: InvitationBatch, invited_count: int, **options: Any
    ) -> None:
        self.partner = batch.partner
        subject = batch.subject or default_subject(batch.partner)
        options["initial"] = {"subject": subject, "note": batch.note}
        super().__init__(*args, **options)
        if invited_count:
            self.fields["invites_again"].label = ngettext(
                "Invite %(number)s person too who has an invitation that is still live",
                "Invite %(number)s people too who have an invitation that is still live",
                invited_count,
            ) % {"number": intcomma(invited_count)}
        else:
            del self.fields["invites_again"]


class EmailTermsForm(PresetForm, WordsForm, InvitationForm):
    expires_at = MomentField(label=_("Expires on"), widget=DayAndTimeInput())
    # Not `is_bound`: every form has an attribute of that name.
    recipient_only = forms.BooleanField(
        label=_("Only an account with this address may use it"), initial=True, required=False
    )

    def __init__(self, *args: Any, partner: Partner, **options: Any) -> None:
        super().__init__(*args, partner=partner, **options)
        types: Any = self.fields["association_type"]
        types.widget = forms.RadioSelect()
        types.choices = [(kind.value, TYPES[kind]) for kind in allowed_types(partner)]
        types.initial = next((value for value, _words in types.choices), "")
        self.fields["subject"].initial = default_subject(partner)
        self.fields["label"].required = False
        self.fields["expires_at"].help_text = _(
            "Empty: seven days after it is sent. Without a time it is the end of that day. Time"
            " zone: %(zone)s."
        ) % {"zone": partner.time_zone}

    def clean(self) -> dict[str, Any]:
        super().clean()
        self.cleaned_data["is_bound"] = self.cleaned_data.pop("recipient_only", True)
        return self.cleaned_data


class NewEmailForm(FoldedFields, CustomerForm, EmailTermsForm):
    folded = (
        *("customer_name", "reference", "country", "language", "label", "recipient_only"),
        *PRESET,
    )

    recipient_name = LineField(
        label=_("Name"),
        max_length=120,
        required=False,
        help_text=_("The e-mail begins with it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    recipient = OthersEmailField(
        help_text=_("One person gets at most three invitations by e-mail within 24 hours.")
    )
    # Shown when the partner knows the person already.
    invites_anyway = forms.BooleanField(
        label=_("Invite this person anyway"), required=False, widget=forms.HiddenInput
    )

    field_order = (
        *("recipient_name", "recipient", "invites_anyway"),
        *("association_type", "subject", "note", "expires_at"),
        *folded,
    )

    def clean_recipient(self) -> str:
        """Refuse, before anything is sent, somebody who does not want e-mail from the partner."""
        recipient: str = self.cleaned_data["recipient"]
        if unsubscribed([canonical_address(recipient)], partner=self.partner):
            raise ValidationError(
                _(
                    "This person does not want invitations from you by e-mail. Make a link"
                    " instead, and hand it on in another way."
                )
            )
        return recipient

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        if not found.get("label"):
            name = found.get("recipient_name") or found.get("recipient", "")
            found["label"] = name[:LONGEST_LABEL]
        self._check_is_new(found.get("recipient"), anyway=found.pop("invites_anyway", False))
        return found

    def _check_is_new(self, recipient: str | None, *, anyway: bool) -> None:
        """Ask before a customer of the partner, or somebody with a live invitation, is invited."""
        if recipient is None:
            return
        address = canonical_address(recipient)
        problem = problem_of_known(address, partner=self.partner, now=self.now)
        if problem is not None:
            self.fields["invites_anyway"].widget = forms.CheckboxInput()
            if not anyway:
                self.add_error("recipient", SENTENCES[problem])


class ManyEmailsForm(FoldedFields, EmailTermsForm):
    folded = ("country", "language", "label", "recipient_only", *PRESET)

    people_file = forms.FileField(
        label=_("File with the people"),
        required=False,
        allow_empty_file=True,
        help_text=_(
            "The file or the list below: one of the two is needed. CSV as Outlook, Google Contacts,"
            " Excel and other programs export it; at most 4 MB and 5,000 people."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv,text/plain"}),
    )
    people = forms.CharField(
        label=_("Or paste the list"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text=_("Rows of a table, addresses alone, or the “To” line of an e-mail."),
    )
    mails_notes = forms.BooleanField(
        label=_("Add the column “Notes” to each person’s e-mail"),
        required=False,
        help_text=_(
            "Address books keep private notes there. Without this tick they are neither mailed nor"
            " stored. The column “Note” of our template is always meant for the person."
        ),
    )

    field_order = ("people_file", "people", "mails_notes", *ORDER_OF_TERMS)
    is_too_large = False
    contacts: ContactList | None = None

    def clean_people_file(self) -> "UploadedFile[Any] | None":
        file: UploadedFile[Any] | None = self.cleaned_data["people_file"]
        if file is not None and (file.size or 0) > LARGEST_LIST:
            self.is_too_large = True
            raise ValidationError(SENTENCES[ListProblem.TOO_LARGE])
        return file

    def clean(self) -> dict[str, Any]:
        """Read the list into `contacts`."""
        found = super().clean()
        file, text = found.pop("people_file", None), found.pop("people", "")
        mails_notes = found.pop("mails_notes", False)
        if file is not None and text.strip():
            self.add_error("people", _("Choose a file or paste the list, not both."))
        elif not ({"people", "people_file"} & set(self.errors)):
            self._read(file, text, mails_notes=mails_notes)
        found["label"] = found.get("label") or str(_("List of %(day)s")) % {
            "day": timezone.localdate(self.now).isoformat()
        }
        return found

    def _read(self, file: "UploadedFile[Any] | None", text: str, *, mails_notes: bool) -> None:
        content = text if file is None else file.read()
        try:
            self.contacts = read_list(content, mails_notes=mails_notes)
        except Refused as refused:
            self.add_error("people" if file is None else "people_file", sentence_for(refused))
            return
        mark_known_people(self.listed, partner=self.partner, now=self.now)
        if all(person.problem for person in self.listed):
            self.add_error(None, SENTENCES[ListProblem.NOTHING_GOOD])

    @property
    def listed(self) -> Sequence[BatchRow]:
        return self.contacts.people if self.contacts else []

    @property
    def reading(self) -> dict[str, Any] | None:
        return self.contacts.reading.as_json() if self.contacts else None
