"""The form field for a reason, whose help text says who reads it."""

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from web.text_fields import LinesField

LONGEST_REASON = 256
AT_MOST = format_lazy(_("At most {number} characters."), number=LONGEST_REASON)


def reason_field(*, required: bool, help_text: Any) -> LinesField:
    return LinesField(
        label=_("Reason"),
        required=required,
        max_length=LONGEST_REASON,
        help_text=format_lazy("{} {}", AT_MOST, help_text),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "required": _("Give the reason."),
            "max_length": format_lazy(_("Use at most {number} characters."), number=LONGEST_REASON),
        },
    )
