"""The filters of the console's activity."""

import re
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from association.activity_words import GROUPS
from association.forms.customers import manager_choices
from association.forms.filters import DayField
from partners.models import PartnerMember

_ABOUT = re.compile(r"([a-z]+\.[a-z]+):([0-9a-f-]{1,36})", re.ASCII)


class AboutField(forms.Field):
    """The label and key of an object, as a link of the page names it."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> tuple[str, str] | None:
        found = _ABOUT.fullmatch(value) if isinstance(value, str) else None
        if value and found is None:
            raise forms.ValidationError(_("No object has this name."))
        return (found[1], found[2]) if found else None


class ActivityForm(forms.Form):
    """The filters of `find_activity()`."""

    action = forms.ChoiceField(label=_("Action"), required=False)
    member = forms.ChoiceField(label=_("Member"), required=False)
    since = DayField(label=_("From"))
    until = DayField(label=_("To"))
    about = AboutField(required=False)

    def __init__(self, *args: Any, members: list[PartnerMember], **options: Any) -> None:
        super().__init__(*args, **options)
        action: Any = self.fields["action"]
        action.choices = [
            ("", _("All")),
            *((capfirst(group), list(actions.items())) for group, actions in GROUPS.items()),
        ]
        member: Any = self.fields["member"]
        member.choices = [("", _("Everybody")), *manager_choices(members)]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", _("The last day must not be before the first."))
        return cleaned
