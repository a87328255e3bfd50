"""What a partner member types to make a link, or to change an invitation."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partners.enums import AssociationType, Channel, InvitationProblem
from partners.forms.expiry import (
    AT,
    CHOICES,
    KEEP,
    NEVER,
    ExpiryField,
    MomentField,
    chosen_expiry,
    refuse_strange_expiry,
)
from partners.forms.invitations import LinkInvitationForm, refuse_more_lines
from partners.models import Invitation, Partner
from partners.refusals import SENTENCES
from partners.services.invitations import MOST_USES

TYPES = {
    AssociationType.RESELLER: _(
        "Reseller – the account is frozen on joining, until you set a budget and unfreeze it"
    ),
    AssociationType.REFERRAL: _("Referral – nothing is frozen"),
}
_NOTE = {"rows": 3}


def allowed_types(partner: Partner) -> list[AssociationType]:
    """Return the association types that the partner may invite in."""
    return [kind for kind in AssociationType if partner.allows(kind)]


class NewLinkForm(LinkInvitationForm):
    """A new link; `cleaned_data` are arguments of `create_invitation()`."""

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
        "label",
        "association_type",
        "note",
        "language",
        "country",
        "expiry",
        "expires_at",
        "max_uses",
    )

    def __init__(self, *args: Any, partner: Partner, now: datetime, **options: Any) -> None:
        super().__init__(*args, partner=partner, now=now, **options)
        self.fields["note"].widget.attrs |= _NOTE
        self.fields["expires_at"].help_text = zone_hint(self.partner)
        types: Any = self.fields["association_type"]
        types.choices = [(kind.value, TYPES[kind]) for kind in allowed_types(self.partner)]
        types.required = len(types.choices) != 1
        types.initial = next((value for value, _words in types.choices), "")
        if not types.required:
            types.widget = forms.HiddenInput()

    def clean_association_type(self) -> str:
        """Take the only type that there is for granted."""
        chosen: str = self.cleaned_data["association_type"]
        self.cleaned_data["association_type"] = chosen or self.fields["association_type"].initial
        return super().clean_association_type()

    def clean(self) -> dict[str, Any]:
        """Name what was chosen as `create_invitation()` does."""
        super().clean()
        self.cleaned_data["expires_at"] = chosen_expiry(self, now=self.now)
        self.cleaned_data.pop("expiry", None)
        return self.cleaned_data


class EditInvitationForm(forms.Form):
    """What may change of a live invitation; `cleaned_data` are arguments of `edit_invitation()`."""

    label = forms.CharField(label=_("Label"), max_length=120, validators=[refuse_more_lines])
    note = forms.CharField(
        label=_("Note to the customer"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs=_NOTE),
    )
    expiry = ExpiryField(initial=KEEP)
    expires_at = MomentField()
    max_uses = forms.IntegerField(
        label=_("Most uses"),
        required=False,
        min_value=1,
        max_value=MOST_USES,
        help_text=_("Leave empty for no limit."),
    )

    def __init__(self, *args: Any, invitation: Invitation, now: datetime, **options: Any) -> None:
        options["initial"] = {
            "label": invitation.label,
            "note": invitation.note,
            "max_uses": invitation.max_uses,
        }
        super().__init__(*args, **options)
        self.invitation = invitation
        self.now = now
        by_email = invitation.channel == Channel.EMAIL
        choices = [choice for choice in CHOICES if not (by_email and choice[0] == NEVER)]
        expiry: Any = self.fields["expiry"]
        expiry.choices = [(KEEP, _("As it is")), *choices]
        self.fields["expires_at"].help_text = zone_hint(invitation.partner)
        if by_email:
            del self.fields["max_uses"]

    def clean_expires_at(self) -> datetime | None:
        """Refuse what is over already, and what is too far ahead."""
        return refuse_strange_expiry(self.cleaned_data["expires_at"], now=self.now)

    def clean_max_uses(self) -> int | None:
        """Allow at least the uses so far."""
        uses: int | None = self.cleaned_data["max_uses"]
        if uses is not None and uses < self.invitation.used_count:
            raise forms.ValidationError(SENTENCES[InvitationProblem.TOO_FEW_USES])
        return uses

    def clean(self) -> dict[str, Any]:
        """Name what was chosen as `edit_invitation()` does."""
        super().clean()
        if not self.cleaned_data.get("expiry") and not self.cleaned_data.get("expires_at"):
            self.cleaned_data["expiry"] = KEEP
        present = self.invitation.expires_at
        self.cleaned_data["expires_at"] = chosen_expiry(self, now=self.now, present=present)
        self.cleaned_data.pop("expiry", None)
        self.cleaned_data.setdefault("max_uses", None)
        return self.cleaned_data


def copied_terms(invitation: Invitation, *, now: datetime) -> dict[str, Any]:
    """Return what a new link begins with when it is to be like this invitation."""
    ends = invitation.expires_at
    is_ahead = ends is not None and ends > now
    return {
        "label": invitation.label,
        "association_type": invitation.association_type,
        "note": invitation.note,
        "language": invitation.language,
        "country": str(invitation.country),
        "max_uses": invitation.max_uses,
        "expiry": AT if is_ahead else NEVER,
        "expires_at": ends if is_ahead else None,
    }


def zone_hint(partner: Partner) -> str:
    """Say in which zone the partner types moments."""
    return gettext("In the time zone %(zone)s.") % {"zone": partner.time_zone}
