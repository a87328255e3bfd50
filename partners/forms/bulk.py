"""What a member confirms for many invitations at once, and the name of a batch."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from partners.forms.expiry import (
    CHOICES,
    NEVER,
    ExpiryField,
    MomentField,
    check_expiry,
    chosen_expiry,
    zone_hint,
)
from partners.forms.invitations import LONGEST_LABEL
from partners.forms.reasons import reason_field
from partners.models import InvitationBatch, Partner
from web.number_fields import WholeNumberField
from web.text_fields import LineField
from web.versioned_forms import VersionedForm


class BulkForm(forms.Form):
    """What is confirmed for many rows; `terms()` is stored with the action."""

    def terms(self) -> dict[str, Any]:
        return {}


class ResendManyForm(BulkForm):
    """Nothing is typed: the page says what will happen."""


class RevokeManyForm(BulkForm):
    reason = reason_field(required=True, help_text=_("Your own people read it."))


class ExtendManyForm(BulkForm):
    """The new expiry of each invitation."""

    expiry = ExpiryField(initial="30")
    expires_at = MomentField()

    def __init__(self, *args: Any, partner: Partner, now: datetime, **options: Any) -> None:
        super().__init__(*args, **options)
        self.now = now
        expiry: Any = self.fields["expiry"]
        expiry.label = _("Expire")
        expiry.choices = [choice for choice in CHOICES if choice[0] != NEVER]
        self.fields["expires_at"].help_text = zone_hint(partner)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        moment = chosen_expiry(self, now=self.now)
        if moment is None and not self.errors:
            self.add_error("expiry", _("Choose when they expire."))
        try:
            check_expiry(moment, now=self.now)
        except forms.ValidationError as error:
            self.add_error("expires_at", error)
        cleaned["expires_at"] = moment
        return cleaned

    def terms(self) -> dict[str, Any]:
        return {"expires_at": self.cleaned_data["expires_at"].isoformat()}


class NumberRangeForm(forms.Form):
    """Which links of a batch, counted as they were made; empty fields leave no one out."""

    first = WholeNumberField(label=_("From number"), required=False, min_value=1)
    last = WholeNumberField(label=_("To number"), required=False, min_value=1)

    def __init__(self, *args: Any, batch: InvitationBatch, **options: Any) -> None:
        super().__init__(*args, **options)
        self.batch = batch
        for field in self.fields.values():
            field.widget.attrs |= {"inputmode": "numeric", "max": batch.size}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and last < first:
            self.add_error("last", _("The last number must not be before the first."))
        return cleaned

    def positions(self) -> slice | None:
        """Return which of the batch's links in the order of their numbers; None for all."""
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        if first is None and last is None:
            return None
        size = self.batch.size
        return slice(min((first or 1) - 1, size), min(last or size, size))


class BatchNameForm(VersionedForm):
    """What the partner calls a batch; empty, it is called by its label."""

    name = LineField(
        label=_("Name"),
        max_length=LONGEST_LABEL,
        required=False,
        help_text=_("For your own people. The labels of its invitations stay as they are."),
    )
