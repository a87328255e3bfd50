"""What a member looks for among the requests for an online invitation, and why one is dismissed."""

from django import forms
from django.utils.translation import gettext_lazy as _

OPEN = "open"
STATES = [
    (OPEN, _("Open")),
    ("answered", _("Answered")),
    ("dismissed", _("Dismissed")),
    ("all", _("All")),
]


class RequestListForm(forms.Form):
    """Search and filter of the requests; without a filter the open ones."""

    q = forms.CharField(
        label=_("Search for an address or a label"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    state = forms.ChoiceField(label=_("State"), choices=STATES, initial=OPEN, required=False)


class DismissForm(forms.Form):
    """Why a request is dismissed."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=256,
        help_text=_("For your own people; whoever asked is not told."),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say why the request is dismissed.")},
    )
