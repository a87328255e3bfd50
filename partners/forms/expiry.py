"""When an invitation ends: in some days, at a moment in the partner's zone, or never."""

import re
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from web.date_fields import DateTimeField

AT, NEVER, KEEP = "at", "never", "keep"
CHOICES = [
    ("7", _("In 7 days")),
    ("30", _("In 30 days")),
    ("90", _("In 90 days")),
    (AT, _("At the date and time below")),
    (NEVER, _("Never")),
]
# An offset at the end: moments are typed in the partner's zone alone.
_ZONE = re.compile(r"(?:[zZ]|[+-]\d{2}:?\d{2})\s*$")
_CLOCKS_CHANGE = _(
    "At this time the clocks change in your time zone, so it does not exist or exists twice. Choose"
    " another time."
)


class ExpiryField(forms.ChoiceField):
    """The radio buttons above the date; not required, so that a date alone is understood too."""

    widget = forms.RadioSelect

    def __init__(self, **options: Any) -> None:
        super().__init__(label=_("Expires"), choices=CHOICES, required=False, **options)


class MomentField(DateTimeField):
    """A date and a time without a zone, in the one that is active: the partner's."""

    widget = forms.DateTimeInput(
        attrs={"type": "datetime-local", "data-chooses": "expiry", "data-choice": AT},
        format="%Y-%m-%dT%H:%M",
    )

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", _("Date and time"))
        super().__init__(
            required=False,
            error_messages={"invalid": _("Enter a date and a time like 2026-12-31 18:00.")},
            **options,
        )

    def to_python(self, value: Any) -> datetime | None:
        if isinstance(value, str) and _ZONE.search(value):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        try:
            moment: datetime | None = super().to_python(value)
        except forms.ValidationError as error:
            if error.code != "ambiguous_timezone":
                raise
            raise forms.ValidationError(_CLOCKS_CHANGE, code=error.code) from error
        return moment


def chosen_expiry(
    form: forms.Form, *, now: datetime, present: datetime | None = None
) -> datetime | None:
    """Return when the invitation ends by the fields `expiry` and `expires_at` of the form.

    `present` is what "as it is" means. What contradicts itself becomes an error of the form.
    """
    expiry, moment = form.cleaned_data.get("expiry"), form.cleaned_data.get("expires_at")
    if "expiry" in form.errors or "expires_at" in form.errors:
        return None
    if not expiry:
        return moment
    if expiry == AT:
        if moment is None:
            form.add_error("expires_at", _("Enter the date and the time."))
        return moment
    if moment is not None:
        form.add_error(
            "expiry", _("Choose “At the date and time below”, or clear the date and the time.")
        )
        return None
    if expiry == KEEP:
        return present
    return None if expiry == NEVER else now + timedelta(days=int(expiry))
