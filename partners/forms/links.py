"""What a partner member types to make one link or many, or to change an invitation."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from partners.emails import default_subject
from partners.enums import AssociationType, Channel, InvitationProblem
from partners.forms.expiry import (
    AT,
    CHOICES,
    KEEP,
    NEVER,
    ExpiryField,
    MomentField,
    chosen_expiry,
    zone_hint,
)
from partners.forms.invitations import (
    LONGEST_LABEL,
    CustomerForm,
    LinkInvitationForm,
    MaxUsesForm,
    TermsForm,
)
from partners.forms.presets import PRESET, DomainsForm, PresetForm, copied_preset
from partners.models import Invitation, InvitationBatch, Partner, PartnerMember
from partners.refusals import SENTENCES
from partners.services.batches import MOST_LINKS
from partners.services.invitations import editable_terms
from web.folded_fields import FoldedFields
from web.number_fields import WholeNumberField
from web.versioned_forms import VersionedForm

NUMBER = "{n}"

TYPES = {
    AssociationType.RESELLER: _(
        "Reseller – the account is frozen on joining, until you set a budget and unfreeze it"
    ),
    AssociationType.REFERRAL: _("Referral – nothing is frozen"),
}
# What a new invitation begins with when it is to be like another one.
COPIED = (
    *("label", "association_type", "note", "language", "country", "max_uses"),
    "allowed_domains",
)
COPIED_OF_PERSON = ("recipient_name", "customer_name", "reference")
FOLDED = ("language", "country", "allowed_domains", *PRESET)


def allowed_types(partner: Partner) -> list[AssociationType]:
    return [kind for kind in AssociationType if partner.allows(kind)]


def check_name_is_for_one(form: forms.BaseForm) -> None:
    """Report a customer name on what several customers can use."""
    found = form.cleaned_data
    if found.get("customer_name") and "max_uses" in found and found["max_uses"] != 1:
        form.add_error("customer_name", SENTENCES[InvitationProblem.NAME_FOR_SEVERAL])


class LinkTermsForm(PresetForm, DomainsForm, LinkInvitationForm):
    association_type = forms.ChoiceField(
        label=_("Association type"),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose an association type."),
            "invalid_choice": SENTENCES[InvitationProblem.TYPE_NOT_ALLOWED],
        },
    )
    expiry = ExpiryField(initial=NEVER)
    expires_at = MomentField()
    field_order: tuple[str, ...] = (
        *("label", "association_type", "note", "language", "country"),
        *("expiry", "expires_at", "max_uses", "allowed_domains", *PRESET),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["expires_at"].help_text = zone_hint(self.partner)
        types: Any = self.fields["association_type"]
        types.choices = [(kind.value, TYPES[kind]) for kind in allowed_types(self.partner)]
        types.required = len(types.choices) != 1
        types.initial = next((value for value, _words in types.choices), "")
        if not types.required:
            types.widget = forms.HiddenInput()

    def clean_association_type(self) -> str:
        chosen: str = self.cleaned_data["association_type"]
        self.cleaned_data["association_type"] = chosen or self.fields["association_type"].initial
        return super().clean_association_type()

    def clean(self) -> dict[str, Any]:
        super().clean()
        self.cleaned_data["expires_at"] = chosen_expiry(self, now=self.now)
        self.cleaned_data.pop("expiry", None)
        return self.cleaned_data


class NewLinkForm(FoldedFields, CustomerForm, LinkTermsForm):
    folded = ("customer_name", "reference", *FOLDED)
    field_order = (*LinkTermsForm.field_order, "customer_name", "reference")

    def clean(self) -> dict[str, Any]:
        super().clean()
        check_name_is_for_one(self)
        return self.cleaned_data


class LinkBatchForm(FoldedFields, LinkTermsForm):
    folded = FOLDED
    size = WholeNumberField(
        label=_("How many"),
        min_value=1,
        max_value=MOST_LINKS,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        error_messages={
            "required": _("Enter how many links to make."),
            "invalid": _("Enter a whole number."),
            "min_value": _("Make at least one."),
            "max_value": _("At most 10,000 can be made at once."),
        },
    )
    field_order = ("label", "size", *LinkTermsForm.field_order[1:])

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["label"].help_text = _(
            "{n} becomes the number of each: “Fair {n}” makes Fair 1, Fair 2 and so on."
            " Without it the number comes last. It is printed on the labels."
        )
        self.fields["label"].error_messages["required"] = _("Enter a label.")
        self.fields["max_uses"].label = _("Most uses of each link")

    def clean(self) -> dict[str, Any]:
        """Give the label its place for the number; reject one that its numbers make too long."""
        super().clean()
        label, size = self.cleaned_data.get("label"), self.cleaned_data.get("size")
        if label and size:
            label = label if NUMBER in label else f"{label} {NUMBER}"
            if len(label.replace(NUMBER, str(size))) > LONGEST_LABEL or len(label) > LONGEST_LABEL:
                self.add_error("label", _("With its number the label is longer than it may be."))
            self.cleaned_data["label"] = label
        return self.cleaned_data


class EditInvitationForm(VersionedForm, CustomerForm, TermsForm, MaxUsesForm):
    expiry = ExpiryField(initial=KEEP)
    expires_at = MomentField()
    field_order = (
        *("label", "customer_name", "reference", "note", "expiry", "expires_at", "max_uses"),
    )

    def __init__(
        self,
        *args: Any,
        invitation: Invitation,
        member: PartnerMember,
        now: datetime,
        **options: Any,
    ) -> None:
        shows = editable_terms(invitation)
        initial = {name: value for name, value in shows.items() if name != "expires_at"}
        initial["label"] = member.readable(invitation.label)[:LONGEST_LABEL]
        super().__init__(
            *args, shows=shows, partner=invitation.partner, now=now, initial=initial, **options
        )
        self.invitation = invitation
        by_email = invitation.channel == Channel.EMAIL
        choices = [choice for choice in CHOICES if not (by_email and choice[0] == NEVER)]
        expiry: Any = self.fields["expiry"]
        expiry.choices = [(KEEP, _("As it is")), *choices]
        self.fields["expires_at"].help_text = zone_hint(invitation.partner)
        if by_email:
            del self.fields["max_uses"]

    def clean_label(self) -> str:
        """Return what was typed; a label that was shown masked and left alone stays as it is."""
        label: str = self.cleaned_data["label"]
        return self.invitation.label if label == self.initial["label"] else label

    def clean_max_uses(self) -> int | None:
        uses: int | None = self.cleaned_data["max_uses"]
        if uses is not None and uses < self.invitation.used_count:
            raise forms.ValidationError(SENTENCES[InvitationProblem.TOO_FEW_USES])
        return uses

    def clean(self) -> dict[str, Any]:
        super().clean()
        if not self.cleaned_data.get("expiry") and not self.cleaned_data.get("expires_at"):
            self.cleaned_data["expiry"] = KEEP
        present = self.invitation.expires_at
        self.cleaned_data["expires_at"] = chosen_expiry(self, now=self.now, present=present)
        self.cleaned_data.pop("expiry", None)
        by_email = self.invitation.channel == Channel.EMAIL
        self.cleaned_data.setdefault("max_uses", 1 if by_email else None)
        check_name_is_for_one(self)
        return self.cleaned_data


def copied_terms(like: Invitation | InvitationBatch, *, now: datetime) -> dict[str, Any]:
    """Return what a form for something new begins with when it is to be like this one."""
    ends = like.expires_at
    is_ahead = ends is not None and ends > now
    return {
        **{name: getattr(like, name) for name in COPIED},
        **copied_preset(like),
        "subject": like.subject or default_subject(like.partner),
        "expiry": AT if is_ahead else NEVER,
        "expires_at": ends if is_ahead else None,
        "recipient_only": like.is_bound,
    }


def terms_for_another(like: Invitation, *, now: datetime) -> dict[str, Any]:
    """Return what an e-mail to another address begins with: its label and expiry are new."""
    person = {name: getattr(like, name) for name in COPIED_OF_PERSON}
    return {**copied_terms(like, now=now), **person, "label": "", "expires_at": None}
