"""The search and the filters of the history."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.fields import capitalised
from association.enums import LastStep, Outcome
from association.refusals import REFUSAL_TEXTS
from partners.enums import AssociationType, Channel

EARLIEST, LATEST = date(2000, 1, 1), date(2100, 1, 1)
MOST_KEY = 2**63 - 1


def _causes() -> list[tuple[str, Any]]:
    return [("", _("Any")), *((code, text.partner) for code, text in REFUSAL_TEXTS.items())]


def _choice(label: Any, choices: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, choices=[("", _("Any")), *capitalised(choices)], required=False
    )


class DayField(forms.DateField):
    """A day as browsers send it, within a plausible span."""

    def __init__(self, *, label: Any) -> None:
        super().__init__(
            label=label,
            required=False,
            input_formats=["%Y-%m-%d"],
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            error_messages={"invalid": _("Enter a day like 2026-12-31.")},
        )

    def clean(self, value: Any) -> date | None:
        day: date | None = super().clean(value)
        if day is not None and not EARLIEST <= day < LATEST:
            raise forms.ValidationError(_("Enter a day between the years 2000 and 2099."))
        return day


class HistoryForm(forms.Form):
    """The filters of `find_attempts()`."""

    q = forms.CharField(
        label=_("Search"),
        max_length=254,
        required=False,
        widget=forms.TextInput(
            attrs={"type": "search", "placeholder": _("Account name or whole e-mail address")}
        ),
    )
    outcome = _choice(_("Outcome"), Outcome.choices)
    step = _choice(_("Last step"), LastStep.choices)
    refusal = forms.ChoiceField(label=_("Refusal"), choices=_causes, required=False)
    channel = _choice(_("Channel"), Channel.choices)
    association_type = _choice(_("Association type"), AssociationType.choices)
    since = DayField(label=_("From"))
    until = DayField(label=_("To"))
    invitation = forms.IntegerField(
        required=False, min_value=1, max_value=MOST_KEY, widget=forms.HiddenInput
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", _("The last day must not be before the first."))
        return cleaned
