"""The search and the filters of the console's lists: customers and history."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.fields import capitalised
from association.enums import CountedMoment, CustomerStatus, LastStep, Outcome
from association.forms.customers import manager_choices
from association.refusal_texts import REFUSAL_TEXTS
from association.services.customer_lists import ANY_FROZEN, NO_MANAGER, WAITS_FOR_PARTNER
from partners.enums import AssociationType, Channel
from partners.forms.filters import NEWEST, SearchField
from partners.models import PartnerMember
from partners.tokens import LONGEST_PASTE
from web.date_fields import DateField
from web.number_fields import WholeNumberField
from web.text_fields import LineField

EARLIEST, LATEST = date(2000, 1, 1), date(2100, 1, 1)
MOST_KEY = 2**63 - 1


def _choice(label: Any, choices: Any, *, none: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=[("", none), *choices], required=False)


def _hidden_key() -> WholeNumberField:
    return WholeNumberField(
        required=False, min_value=1, max_value=MOST_KEY, widget=forms.HiddenInput
    )


class SearchForm(forms.Form):
    """What is looked for in everything of the partner."""

    q = SearchField(_("Search"), max_length=LONGEST_PASTE)


class CustomerSearchForm(forms.Form):
    """The filters of `find_customers()`."""

    searches_parts = True
    q = LineField(
        label=_("Part of the name, the address or the reference"),
        required=False,
        max_length=254,
        widget=forms.SearchInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    status = _choice(
        _("Status"),
        [
            (WAITS_FOR_PARTNER, _("Waiting for you")),
            (CustomerStatus.WAITING, _("Waiting for a budget")),
            (CustomerStatus.FROZEN, _("Frozen")),
            (CustomerStatus.FREE, _("Not frozen")),
            (CustomerStatus.ENDED, _("Ended")),
        ],
        none=_("All in force"),
    )
    association_type = _choice(_("Type"), capitalised(AssociationType.choices), none=_("All"))
    budget = _choice(_("Budget"), [("with", _("With")), ("without", _("Without"))], none=_("All"))
    manager = forms.ChoiceField(label=_("Manager"), required=False)
    order = forms.ChoiceField(
        label=_("Order"),
        choices=[(NEWEST, _("Newest first")), ("name", _("By name"))],
        initial=NEWEST,
        required=False,
    )

    def clean_status(self) -> str:
        """Let "Frozen" find all who are, as in the admin: also those who wait for a budget."""
        status: str = self.cleaned_data["status"]
        return ANY_FROZEN if status == CustomerStatus.FROZEN else status

    def __init__(self, *args: Any, members: list[PartnerMember], **options: Any) -> None:
        super().__init__(*args, **options)
        if not members:
            del self.fields["manager"]
            return
        field: Any = self.fields["manager"]
        field.choices = [("", _("All")), (NO_MANAGER, _("No manager")), *manager_choices(members)]


class DayField(DateField):
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

    q = LineField(
        label=_("Beginning of the account name, or a whole e-mail address"),
        max_length=254,
        required=False,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    outcome = _choice(_("Outcome"), capitalised(Outcome.choices), none=_("Any"))
    step = _choice(_("Last step"), capitalised(LastStep.choices), none=_("Any"))
    refusal = _choice(
        _("Refusal"), [(code, text.partner) for code, text in REFUSAL_TEXTS.items()], none=_("Any")
    )
    channel = _choice(_("Channel"), capitalised(Channel.choices), none=_("Any"))
    association_type = _choice(
        _("Association type"), capitalised(AssociationType.choices), none=_("Any")
    )
    moment = _choice(
        _("Days of"),
        [
            (CountedMoment.REGISTERED, _("Registration")),
            (CountedMoment.ASSOCIATED, _("Association")),
            (CountedMoment.REFUSED, _("Refusal")),
        ],
        none=_("Start"),
    )
    since = DayField(label=_("From"))
    until = DayField(label=_("To"))
    account = _choice(_("Account"), [("registered", _("Registered here"))], none=_("Any"))
    invitation = _hidden_key()
    batch = _hidden_key()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", _("The last day must not be before the first."))
        return cleaned
