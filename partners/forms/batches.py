"""What a partner member types to make many links at once."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from partners.forms.invitations import LONGEST_LABEL
from partners.forms.links import NewLinkForm
from partners.services.batches import MOST_AT_ONCE

NUMBER = "{n}"


class LinkBatchForm(NewLinkForm):
    """Many links alike; `cleaned_data` are arguments of `start_links()`."""

    size = forms.IntegerField(
        label=_("How many"),
        min_value=1,
        max_value=MOST_AT_ONCE,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        error_messages={
            "required": _("Enter how many links to make."),
            "invalid": _("Enter a whole number."),
            "min_value": _("Make at least one."),
            "max_value": _("At most 10,000 can be made at once."),
        },
    )
    field_order = ("label", "size", *NewLinkForm.field_order[1:])

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["label"].help_text = _(
            "{n} becomes the number of each: “Fair {n}” makes Fair 1, Fair 2 and so on."
            " Without it the number comes last. Customers do not see it."
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
