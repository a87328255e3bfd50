"""What an administrator of a partner types to make an API key."""

from django import forms
from django.utils.translation import gettext_lazy as _

from integration.enums import Scope
from web.text_fields import LineField


class NewKeyForm(forms.Form):
    name = LineField(
        label=_("Name"),
        max_length=80,
        help_text=_("Which program uses it. Activity and histories show the name."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Enter a name.")},
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Tick what the program needs, and no more."),
        error_messages={"required": _("Tick what the program may do.")},
    )
    days = forms.TypedChoiceField(
        label=_("Ends"),
        choices=[
            ("30", _("In 30 days")),
            ("90", _("In 90 days")),
            ("365", _("In a year")),
        ],
        coerce=int,
        initial="90",
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose when the key ends.")},
    )
