"""The forms that agree to documents: what is ticked, what a button agrees to, in which versions."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import QueryDict
from django.urls import reverse
from django.utils.datastructures import MultiValueDict
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.fields import CountryField
from association.enums import DocumentKind, JourneyRefusal
from association.refusals import SENTENCES
from association.services.consents import AGREEMENT
from association.services.documents import Documents
from web.number_fields import WholeNumberField
from web.versioned_forms import NOT_SHOWN

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

INSTRUCTIONS, LETTER = DocumentKind.INSTRUCTIONS, DocumentKind.LETTER_OF_AUTHORIZATION
VersionNumbers = Mapping[DocumentKind, int]
AFFIRMATIVE = {"on", "true", "1", "yes"}
# The hidden fields with the versions that the page showed. Nothing is agreed to without one.
SHOWN: Mapping[DocumentKind, str] = {
    LETTER: "shown_letter",
    **{kind: f"shown_{kind.value}" for kind in (INSTRUCTIONS, *AGREEMENT)},
}
# What is agreed to by ticking each box, and by which label.
BOXES: Mapping[str, tuple[Collection[DocumentKind], "StrPromise"]] = {
    "instructions": ((INSTRUCTIONS,), _("I have read and agree to the {instructions}")),
    "letter_of_authorization": (
        (LETTER,),
        _("I have read and agree to the {letter_of_authorization}"),
    ),
    "agreement": (
        AGREEMENT,
        _("I have read and agree to the {customer_agreement} and the {privacy_statement}"),
    ),
}
# Stored with the consent, which nothing can change later: it must not contain the account's name.
AGREE_WITH_BUTTON = _("With “{button}” you agree to the {instructions} for this account.")


class Tick(forms.CheckboxInput):
    """A box that is ticked only when exactly one affirmative value was sent."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> bool:
        values = data.getlist(name) if isinstance(data, MultiValueDict) else [data.get(name)]
        return len(values) == 1 and str(values[0]).lower() in AFFIRMATIVE


def _tick(*, required: bool, error: Any = "", help_text: Any = "") -> forms.BooleanField:
    return forms.BooleanField(
        required=required, widget=Tick, help_text=help_text, error_messages={"required": error}
    )


def sentence(text: "StrPromise", versions: VersionNumbers, **values: str) -> str:
    """Return the sentence as it is read, its documents named with their versions."""
    names = {kind.value: _name(kind, version) for kind, version in versions.items()}
    return str(text).format(**names, **values)


def linked_sentence(text: "StrPromise", versions: VersionNumbers, **values: str) -> SafeString:
    """Return the sentence as HTML, each document a link to its text."""
    # In a tab of its own: what was ticked in the form stays.
    links = {
        kind.value: format_html(
            '<a href="{}" target="_blank">{}</a>',
            reverse("document", args=[kind.value]),
            _name(kind, version),
        )
        for kind, version in versions.items()
    }
    return format_html(str(text), **links, **values)


def _name(kind: DocumentKind, version: int) -> str:
    return gettext("%(document)s (version %(version)s)") % {
        "document": kind.label,
        "version": version,
    }


class DocumentForm(forms.Form):
    """A form that agrees to documents; hidden fields keep the versions that the page showed.

    `named` are the documents of the page. `button_sentence` is there when the button agrees to the
    instructions.
    """

    def __init__(
        self,
        data: QueryDict | None,
        *,
        versions: VersionNumbers,
        named: Collection[DocumentKind],
        initial: dict[str, Any],
    ) -> None:
        self.versions, self.named = versions, named
        super().__init__(data, initial=initial)
        for box in BOXES.keys() & self.fields.keys():
            self.fields[box].label = linked_sentence(BOXES[box][1], versions)
        for kind in named:
            self.fields[SHOWN[kind]] = WholeNumberField(
                required=False, widget=forms.HiddenInput, initial=versions[kind]
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        malformed = [SHOWN[kind] for kind in self.named if SHOWN[kind] in self.errors]
        missing = [kind for kind in self.agreed() if cleaned.get(SHOWN[kind]) is None]
        if malformed or missing:
            # One sentence for all of them; the page is shown again with the versions in force.
            for name in malformed:
                del self.errors[name]
            self.name_new_versions()
            raise forms.ValidationError(NOT_SHOWN)
        return cleaned

    def agreed(self) -> dict[DocumentKind, str]:
        """Return the documents that the submitted form agrees to, each with its label."""
        return {
            kind: sentence(label, self.versions)
            for box, (kinds, label) in BOXES.items()
            if self.cleaned_data.get(box)
            for kind in kinds
        }

    def has_shown_others(self, kinds: Collection[DocumentKind]) -> bool:
        """Whether the page showed one of them in another version than the one in force."""
        shown = {kind: self.cleaned_data.get(SHOWN[kind]) for kind in kinds}
        return any(version not in {None, self.versions[kind]} for kind, version in shown.items())

    def name_new_versions(self) -> None:
        """Name the versions in force; a box that was ticked for another one is not ticked.

        Where no version is known to have been shown, what was ticked stays.
        """
        data = QueryDict(mutable=True)
        data.update(self.data)
        new = {kind: str(self.versions[kind]) for kind in self.named}
        outdated = {kind for kind in new if data.get(SHOWN[kind], new[kind]) != new[kind]}
        for box, (kinds, _label) in BOXES.items():
            if outdated & set(kinds):
                data.pop(box, None)
        for kind, version in new.items():
            data[SHOWN[kind]] = version
        self.data = data


def _letter_box() -> forms.BooleanField:
    help_text = _(
        "It lets the partner order and operate for you. It does not affect the association, "
        "and you can decide later under My partner."
    )
    return _tick(required=False, help_text=help_text)


class InstructionsForm(DocumentForm):
    instructions = _tick(required=True, error=_("Agree to the instructions to go on."))
    letter_of_authorization = _letter_box()

    def __init__(
        self, data: QueryDict | None, *, documents: Documents, ticked: bool = False
    ) -> None:
        self.documents = documents
        super().__init__(
            data,
            versions={kind: document.version for kind, document in documents.items()},
            named=(INSTRUCTIONS, LETTER),
            initial={"letter_of_authorization": ticked},
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.has_shown_others(self.named):
            self.name_new_versions()
            raise forms.ValidationError(SENTENCES[JourneyRefusal.DOCUMENT_CHANGED])
        return cleaned


class LastForm(DocumentForm):
    """The form of Confirm. The letter is optional, never ticked for the customer.

    `agrees` tells whether the button agrees to the instructions.
    """

    button = _("Associate")
    letter_of_authorization = _letter_box()

    def __init__(
        self,
        data: QueryDict | None,
        *,
        versions: VersionNumbers,
        ticked: bool,
        agrees: bool = False,
        named: Collection[DocumentKind] = (LETTER,),
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            data,
            versions=versions,
            named=(*named, INSTRUCTIONS) if agrees else named,
            initial={"letter_of_authorization": ticked, **(initial or {})},
        )

    @property
    def button_sentence(self) -> str:
        """What the button agrees to, as HTML; empty when it agrees to no instructions."""
        if INSTRUCTIONS not in self.named:
            return ""
        return linked_sentence(AGREE_WITH_BUTTON, self.versions, button=str(self.button))

    def agreed(self) -> dict[DocumentKind, str]:
        agreed = super().agreed()
        if INSTRUCTIONS in self.named:
            agreed[INSTRUCTIONS] = sentence(
                AGREE_WITH_BUTTON, self.versions, button=str(self.button)
            )
        return agreed

    def asks_for_letter(self) -> bool:
        """Whether the letter's box was on the page; without it an earlier choice is kept."""
        return any(self.cleaned_data[name] for name in (SHOWN[LETTER], "letter_of_authorization"))


class EnableForm(LastForm):
    button = _("Enable and Associate")
    country = CountryField(label=_("Country/Region of your billing address"))
    agreement = _tick(
        required=True,
        error=_("Agree to the Customer Agreement and the Privacy Statement to enable services."),
    )
    field_order = ("country", "agreement", "letter_of_authorization")

    def __init__(self, data: QueryDict | None, *, country: str, **options: Any) -> None:
        super().__init__(data, named=(LETTER, *AGREEMENT), initial={"country": country}, **options)
