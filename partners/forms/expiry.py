"""When an invitation ends: in some days, on a day in the partner's zone, or never."""

import re
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partners.enums import InvitationProblem
from partners.models import Partner
from partners.refusals import SENTENCES
from web.date_fields import DateTimeField

LONGEST_LIFE = timedelta(days=3650)
AT, NEVER, KEEP = "at", "never", "keep"
CHOICES = [
    ("7", _("In 7 days")),
    ("30", _("In 30 days")),
    ("90", _("In 90 days")),
    (AT, _("On the date below")),
    (NEVER, _("Never")),
]
# An offset at the end: moments are typed in the partner's zone alone.
_ZONE = re.compile(r"(?:[zZ]|[+-]\d{2}:?\d{2})\s*$")
_DAY = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")
END_OF_DAY = "23:59:59"
_CLOCKS_CHANGE = _(
    "At this time the clocks change in your time zone, so it does not exist or exists twice. Choose"
    " another time."
)


class ExpiryField(forms.ChoiceField):
    """The radio buttons above the date; not required, so that a date alone is understood too."""

    widget = forms.RadioSelect

    def __init__(self, **options: Any) -> None:
        super().__init__(label=_("Expires"), choices=CHOICES, required=False, **options)


class DayAndTimeInput(forms.DateTimeInput):
    """A day, and beside it a time that may stay empty: two inputs, read as one text."""

    template_name = "components/day_and_time.html"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d %H:%M")

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        widget = context["widget"]
        day, _between, time = (widget["value"] or "").replace("T", " ").partition(" ")
        own_id = {"id": f"{widget['attrs'].get('id', name)}_time"}
        widget["day"] = {**widget, "type": "date", "value": day}
        widget["time"] = {
            "name": f"{name}_time",
            "type": "time",
            "value": time,
            "attrs": widget["attrs"] | own_id,
        }
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str:
        return f"{data.get(name) or ''} {data.get(f'{name}_time') or ''}".strip()


class EndField(DateTimeField):
    """The moment at which something ends; a day alone means the end of that day."""

    def to_python(self, value: Any) -> datetime | None:
        if isinstance(value, str) and _DAY.fullmatch(value.strip()):
            value = f"{value.strip()} {END_OF_DAY}"
        moment: datetime | None = super().to_python(value)
        return moment


class MomentField(EndField):
    """An end without a zone, in the zone that is active: the partner's."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", _("Date"))
        options.setdefault("widget", DayAndTimeInput({"data-chooses": "expiry", "data-choice": AT}))
        super().__init__(
            required=False,
            error_messages={"invalid": _("Enter a date and a time like 2026-12-31 18:00.")},
            **options,
        )

    def to_python(self, value: Any) -> datetime | None:
        if isinstance(value, str) and _ZONE.search(value):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        try:
            return super().to_python(value)
        except forms.ValidationError as error:
            if error.code != "ambiguous_timezone":
                raise
            raise forms.ValidationError(_CLOCKS_CHANGE, code=error.code) from error


def zone_hint(partner: Partner) -> str:
    text = gettext("Without a time it is the end of that day. Time zone: %(zone)s.")
    return text % {"zone": partner.time_zone}


def check_expiry(moment: datetime | None, *, now: datetime) -> None:
    """Raise ValidationError for an end that is past or too far ahead."""
    if moment is not None and moment <= now:
        raise forms.ValidationError(SENTENCES[InvitationProblem.EXPIRY_NOT_AHEAD])
    if moment is not None and moment - now > LONGEST_LIFE:
        raise forms.ValidationError(_("The expiry must be within ten years."))


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
            form.add_error("expires_at", _("Enter the date."))
        return moment
    if moment is not None:
        form.add_error("expiry", _("Choose “On the date below”, or clear the date and the time."))
        return None
    if expiry == KEEP:
        return present
    return None if expiry == NEVER else now + timedelta(days=int(expiry))
