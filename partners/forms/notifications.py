"""How a member wants to be told of each kind of thing that happens."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.fields import capitalised
from partners.enums import NotificationDelivery, NotificationKind
from web.shown_versions import Values
from web.versioned_forms import SHOWN_VERSION, VersionedForm


class NotificationsForm(VersionedForm):
    """A field for each kind; `shows` are the member's `choices_of()`."""

    def __init__(self, *args: Any, shows: Values, **options: Any) -> None:
        super().__init__(*args, shows=shows, initial=shows, **options)
        fields = {
            kind.value: forms.ChoiceField(
                label=kind.label,
                choices=capitalised(NotificationDelivery.choices),
                error_messages={
                    "required": _("Choose one of them."),
                    "invalid_choice": _("Choose one of them."),
                },
            )
            for kind in NotificationKind
        }
        self.fields = {**fields, **self.fields}

    def choices(self) -> dict[str, str]:
        return {name: value for name, value in self.cleaned_data.items() if name != SHOWN_VERSION}
