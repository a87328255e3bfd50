"""The sections of a partner's settings; each form carries the version that its page showed."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.fields import EmailField, capitalised
from partners.enums import BudgetPeriod, CsvSeparator, OnExhaustion
from partners.forms.budgets import AmountField
from partners.forms.logos import LogoField, LogoInput, StoredLogo
from partners.forms.time_zones import TimeZoneField
from partners.models import Partner
from partners.services.logos import shown_logo
from partners.services.settings import settings_of
from web.shown_versions import Values
from web.templatetags.money import money
from web.text_fields import LineField
from web.versioned_forms import SHOWN_VERSION, LastChange, VersionedForm, value_words

READERS_OWN = _("The reader’s own")
_CHOOSE = {"required": _("Choose one of them.")}


class SettingsForm(VersionedForm):
    """One section: its fields have the names of the partner's, and its page an address."""

    section: ClassVar[str]
    heading: ClassVar[Any]
    url_name: ClassVar[str]

    def __init__(self, data: Any = None, files: Any = None, *, partner: Partner) -> None:
        self.partner = partner
        shows = self.shown_values()
        super().__init__(data, files, shows=shows, initial=self.first_values())

    def shown_values(self) -> Values:
        return settings_of(self.partner, self.base_fields)

    def first_values(self) -> dict[str, Any]:
        return dict(self.shown_values())

    def facts(self) -> Iterator[tuple[str, str]]:
        """Return each label with what is stored, in words; "" where nothing is."""
        for name, value in self.first_values().items():
            field = self.fields[name]
            yield str(field.label), value_words(field, value)

    def changes(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != SHOWN_VERSION}


class ContactForm(SettingsForm):
    section, url_name = "contact", "console_edit_contact"
    heading = _("Name and support")
    name = LineField(
        label=_("Name"),
        max_length=80,
        help_text=_("What customers read on invitations, pages and e-mails."),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
        error_messages={"required": _("Enter the name.")},
    )
    support_email = EmailField(
        label=_("Support e-mail"),
        max_length=254,
        help_text=_("Customers write here; answers to your e-mails go here too."),
    )
    support_phone = LineField(
        label=_("Support phone"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )


class ZoneForm(SettingsForm):
    section, url_name = "zone", "console_edit_zone"
    heading = _("Time and language")
    time_zone = TimeZoneField(
        label=_("Time zone"),
        help_text=_(
            "Type a place, like Dublin. Moments in this console are shown in this zone, and a"
            " monthly budget begins again there at midnight on the first."
        ),
    )
    invitation_language = forms.ChoiceField(
        label=_("Language of new invitations"),
        choices=lambda: [("", READERS_OWN), *settings.LANGUAGES],
        required=False,
        help_text=_("Each invitation can have another one."),
    )


class FilesForm(SettingsForm):
    section, url_name = "files", "console_edit_files"
    heading = _("CSV files")
    csv_separator = forms.ChoiceField(
        label=_("Separator"),
        choices=capitalised(CsvSeparator.choices),
        error_messages=_CHOOSE,
    )


class DefaultBudgetForm(SettingsForm):
    section, url_name = "budget", "console_edit_default_budget"
    heading = _("Default budget")
    default_budget_amount = AmountField(label=_("Amount"), required=False)
    default_budget_period = forms.ChoiceField(
        label=_("Period"), choices=capitalised(BudgetPeriod.choices), error_messages=_CHOOSE
    )
    default_budget_on_exhaustion = forms.ChoiceField(
        label=_("When used up"),
        choices=[
            (OnExhaustion.FREEZE.value, _("Freeze the account")),
            (OnExhaustion.NOTIFY.value, _("Only tell your organisation")),
        ],
        error_messages=_CHOOSE,
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        text = gettext("In %(currency)s, like 1500.00. Leave it empty for no default budget.")
        self.fields["default_budget_amount"].help_text = text % {"currency": settings.CURRENCY}

    def facts(self) -> Iterator[tuple[str, str]]:
        amount = self.partner.default_budget_amount
        if amount is None:
            yield gettext("Amount"), ""
        else:
            yield gettext("Amount"), money(amount)
            yield from list(super().facts())[1:]

    def first_values(self) -> dict[str, Any]:
        values, amount = super().first_values(), self.partner.default_budget_amount
        return values if amount is None else {**values, "default_budget_amount": f"{amount:.2f}"}

    def clean(self) -> dict[str, Any]:
        """Let the period and the rest go with an amount that is left empty."""
        cleaned = super().clean()
        if "default_budget_amount" in cleaned and cleaned["default_budget_amount"] is None:
            return {**cleaned, "default_budget_period": "", "default_budget_on_exhaustion": ""}
        return cleaned


class LogoForm(SettingsForm):
    section, url_name = "logo", "console_edit_logo"
    heading = pgettext_lazy("a picture", "Logo")
    logo = LogoField(label=_("New picture"), widget=LogoInput(shows_picture=False))

    def shown_values(self) -> Values:
        return shown_logo(self.partner)

    def first_values(self) -> dict[str, Any]:
        return {"logo": StoredLogo(self.partner.logo_id) if self.partner.logo_id else None}

    def clean_logo(self) -> Any:
        """Refuse a form in which nothing was chosen: its button would save nothing."""
        logo = self.cleaned_data["logo"]
        if logo is None or isinstance(logo, StoredLogo):
            raise ValidationError(_("Choose a picture file."))
        return logo

    def report_conflict(self, names: Collection[str], changes: Mapping[str, LastChange]) -> None:
        """Say who changed the logo; the page shows it, and no page can fill in a file."""
        change = changes.get("logo")
        who = change.by if change else gettext("Somebody")
        text = gettext("%(who)s changed the logo. To replace it, choose your file again.")
        self.report_sentences([text % {"who": who}])


SECTIONS: tuple[type[SettingsForm], ...] = (
    *(ContactForm, LogoForm, ZoneForm, FilesForm, DefaultBudgetForm),
)
