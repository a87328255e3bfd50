"""The forms of the journey's pages."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.urls import reverse
from django.utils.datastructures import MultiValueDict
from django.utils.functional import keep_lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.fields import CountryField, EmailField
from accounts.forms import CountryAndEmailForm
from association.models import Attempt, DocumentKind, LegalDocument
from association.services.associations import AGREEMENT, Enabling, LetterChoice
from association.services.documents import Documents
from partners.tokens import token_typed_by_hand
from web.email_addresses import canonical_address, mask_address
from web.number_fields import WholeNumberField

Versions = Mapping[DocumentKind, int]
AFFIRMATIVE = {"on", "true", "1", "yes"}


class Tick(forms.CheckboxInput):
    """A box that is ticked only when exactly one affirmative value was sent."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> bool:
        values = data.getlist(name) if isinstance(data, MultiValueDict) else [data.get(name)]
        return len(values) == 1 and str(values[0]).lower() in AFFIRMATIVE


def _tick(
    label: Any, *, required: bool, error: Any = "", help_text: Any = ""
) -> forms.BooleanField:
    return forms.BooleanField(
        label=_with_links(label),
        required=required,
        widget=Tick,
        help_text=help_text,
        error_messages={"required": error},
    )


class _DocumentLinks(dict[str, SafeString]):
    """The link to each document that a text names."""

    def __missing__(self, kind: str) -> SafeString:
        # In a tab of its own: what was ticked in the form stays.
        url = reverse("document", args=[kind])
        return format_html('<a href="{}" target="_blank">{}</a>', url, DocumentKind(kind).label)


@keep_lazy(SafeString)
def _with_links(text: str) -> SafeString:
    return SafeString(text.format_map(_DocumentLinks()))


def _shown_version() -> WholeNumberField:
    """The version that the page showed; without it, the version in force is agreed to."""
    return WholeNumberField(required=False, widget=forms.HiddenInput)


class LetterForm(forms.Form):
    """The letter of authorization: optional, never ticked for the customer.

    Without `shown_letter` the box was not on the page, and an earlier choice is kept.
    """

    letter_of_authorization = _tick(
        _("I have read and agree to the {letter_of_authorization}"),
        required=False,
        help_text=_(
            "It lets the partner order and operate for you. It does not affect the association, "
            "and you can decide later under My partner."
        ),
    )
    shown_letter = _shown_version()

    def __init__(
        self,
        data: QueryDict | None,
        *,
        versions: Versions,
        ticked: bool = False,
        initial: dict[str, Any] | None = None,
    ) -> None:
        self.versions = versions
        shown = versions[DocumentKind.LETTER_OF_AUTHORIZATION]
        letter = {"letter_of_authorization": ticked, "shown_letter": shown}
        super().__init__(data, initial=letter | (initial or {}))

    def letter_choice(self) -> LetterChoice | None:
        """Return the choice about the letter, or None when the page did not ask for it."""
        shown = self.cleaned_data["shown_letter"]
        if not self.cleaned_data["letter_of_authorization"]:
            return None if shown is None else LetterChoice(None)
        return LetterChoice(shown or self.versions[DocumentKind.LETTER_OF_AUTHORIZATION])


class InstructionsForm(LetterForm):
    instructions = _tick(
        _("I have read and agree to the {instructions}"),
        required=True,
        error=_("Agree to the instructions to go on."),
    )
    shown_instructions = _shown_version()
    field_order = ("instructions", "letter_of_authorization")

    def __init__(
        self, data: QueryDict | None, *, documents: Documents, ticked: bool = False
    ) -> None:
        self.instructions_document = documents[DocumentKind.INSTRUCTIONS]
        self.letter_document = documents[DocumentKind.LETTER_OF_AUTHORIZATION]
        versions = {kind: document.version for kind, document in documents.items()}
        initial = {"shown_instructions": self.instructions_document.version}
        super().__init__(data, versions=versions, ticked=ticked, initial=initial)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        shown = (
            (cleaned.get("shown_instructions"), self.instructions_document),
            (cleaned.get("shown_letter"), self.letter_document),
        )
        if any(version not in {None, document.version} for version, document in shown):
            raise forms.ValidationError(
                _("The documents have changed while you were reading. Please read them again.")
            )
        return cleaned

    def agreed_letter(self) -> LegalDocument | None:
        return self.letter_document if self.cleaned_data["letter_of_authorization"] else None


class EnableForm(LetterForm):
    country = CountryField(label=_("Country/Region of your billing address"))
    agreement = _tick(
        _("I have read and agree to the {customer_agreement} and the {privacy_statement}"),
        required=True,
        error=_("Agree to the Customer Agreement and the Privacy Statement to enable services."),
    )
    shown_customer_agreement = _shown_version()
    shown_privacy_statement = _shown_version()
    field_order = ("country", "agreement", "letter_of_authorization")

    def __init__(
        self, data: QueryDict | None, *, versions: Versions, ticked: bool, country: str
    ) -> None:
        shown = {f"shown_{kind.value}": versions[kind] for kind in AGREEMENT}
        initial = {"country": country, **shown}
        super().__init__(data, versions=versions, ticked=ticked, initial=initial)

    def enabling(self) -> Enabling:
        return Enabling(
            country=self.cleaned_data["country"],
            agreed_versions={
                kind: self.cleaned_data[f"shown_{kind.value}"] or self.versions[kind]
                for kind in AGREEMENT
            },
        )


class RegisterForm(CountryAndEmailForm):
    def __init__(self, data: QueryDict | None = None, *, attempt: Attempt) -> None:
        self.invitation = attempt.invitation
        country = attempt.registration_country or self.invitation.country
        super().__init__(data, initial={"country": country, "email": attempt.registration_email})

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        invitation = self.invitation
        if invitation.is_bound and canonical_address(email) != invitation.recipient:
            raise forms.ValidationError(
                _("This invitation was sent to %(address)s. Use that address."),
                params={"address": mask_address(invitation.recipient)},
            )
        return email


class AskForm(forms.Form):
    email = EmailField(
        label=_("E-mail address of your account"),
        help_text=_("The invitation will be sent there, and only this account can use it."),
    )


class TokenForm(forms.Form):
    """An invitation's token typed by hand, in any case, with spaces or hyphens."""

    token = forms.CharField(
        label=_("Invitation"),
        help_text=_("The 26 letters and digits printed under the QR code."),
        max_length=200,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
        error_messages={"required": _("Enter the letters and digits of your invitation.")},
    )

    def clean_token(self) -> str:
        token = token_typed_by_hand(self.cleaned_data["token"])
        if token is None:
            raise forms.ValidationError(
                _("An invitation has 26 letters and digits. Check what you typed."),
            )
        return token
