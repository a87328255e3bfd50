"""What administrators type to make an API key or a webhook endpoint."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from integration.enums import ProviderScope, Scope, in_words
from integration.models import ApiKey, WebhookEndpoint
from integration.refusals import SENTENCES
from integration.services.addresses import read_url
from integration.services.endpoints import terms_of
from partners.enums import EventKind
from web.refused import Refused
from web.text_fields import LineField
from web.versioned_forms import VersionedForm

if TYPE_CHECKING:
    KeyModelForm = forms.ModelForm[ApiKey]
else:
    KeyModelForm = forms.ModelForm


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
        choices=[(code, in_words(code)) for code in Scope.values],
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


class NewProviderKeyForm(NewKeyForm, KeyModelForm):
    """What an administrator of the provider types in the admin."""

    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=[(code, in_words(code)) for code in ProviderScope.values],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("For all partners and accounts. Tick what the program needs, and no more."),
        error_messages={"required": _("Tick what the program may do.")},
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes")


class EndpointForm(forms.Form):
    url = LineField(
        label=_("Address"),
        max_length=500,
        help_text=_("Where your program takes webhooks, like https://crm.example.com/hooks"),
        widget=forms.URLInput(attrs={"autocomplete": "off", "dir": "ltr"}),
        error_messages={"required": _("Enter an address.")},
    )
    description = LineField(
        label=_("Name"),
        max_length=120,
        required=False,
        help_text=_("Lists and e-mails show it; without one, the host."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    event_types = forms.MultipleChoiceField(
        label=_("Events"),
        choices=[choice for choice in EventKind.choices if choice[0] != EventKind.ENDPOINT_TEST],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Tick none to get all, also kinds that are added later."),
    )

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            read_url(url)
        except Refused as refused:
            raise forms.ValidationError(SENTENCES[refused.code], refused.code.value) from refused
        return url


class EditEndpointForm(VersionedForm, EndpointForm):
    """The same for an endpoint that exists, with what its page showed."""

    def __init__(self, data: Any = None, *, endpoint: WebhookEndpoint) -> None:
        terms = terms_of(endpoint)
        super().__init__(data, shows=terms, initial=terms)

    def changes(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.changed_data}
