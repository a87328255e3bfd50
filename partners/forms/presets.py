"""What an invitation may carry too: a budget to begin with, and the domains that may join."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.fields import capitalised
from partners.enums import AssociationType, BudgetPeriod, OnExhaustion
from partners.forms.budgets import AmountField
from partners.models import Invitation, InvitationBatch, Partner
from web.email_addresses import InvalidAddress, canonical_domain
from web.text_fields import LineField

PRESET = ("budget_amount", "budget_period", "budget_on_exhaustion")
FOR_RESELLERS = _("Only reseller customers have a budget. Leave it empty, or choose reseller.")


class DomainsField(LineField):
    """Domains as people list them, with or without "@"; the value is as it is stored."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 500, "required": False, **options})

    def to_python(self, value: Any) -> str:
        typed = (super().to_python(value) or "").replace(",", " ").replace(";", " ").split()
        return " ".join(sorted({self._domain(text) for text in typed}))

    def _domain(self, text: str) -> str:
        try:
            return canonical_domain(text.removeprefix("@"))
        except InvalidAddress as error:
            raise ValidationError(
                _("“%(text)s” is not a domain. Enter domains like example.com, with commas."),
                params={"text": text[:100]},
            ) from error


class DomainsForm(forms.Form):
    allowed_domains = DomainsField(
        label=_("Only for e-mail addresses at"),
        help_text=_(
            "Domains like example.com, with commas. Empty: every address can join. A domain does"
            " not include its subdomains."
        ),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )


class PresetForm(forms.Form):
    """The budget that your form for this customer's first budget begins with."""

    partner: Partner

    budget_amount = AmountField(label=_("Budget to begin with"), required=False)
    budget_period = forms.ChoiceField(
        label=_("Period of this budget"),
        choices=capitalised(BudgetPeriod.choices),
        initial=BudgetPeriod.MONTHLY.value,
        required=False,
    )
    budget_on_exhaustion = forms.ChoiceField(
        label=_("When this budget is used up"),
        choices=[
            (OnExhaustion.FREEZE.value, _("Freeze the account")),
            (OnExhaustion.NOTIFY.value, _("Only tell your organisation")),
        ],
        initial=OnExhaustion.FREEZE.value,
        required=False,
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["budget_amount"].help_text = format_lazy(
            _("In {currency}, like 1500.00. It fills in your form when you set the budget."),
            currency=settings.CURRENCY,
        )
        if not self.partner.allows(AssociationType.RESELLER):
            for name in PRESET:
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        complete_preset(self, cleaned)
        return cleaned


def complete_preset(form: forms.BaseForm, cleaned: dict[str, Any]) -> None:
    """Make the preset whole or empty; report one that is not for a reseller."""
    if "budget_amount" not in cleaned:
        return
    if cleaned["budget_amount"] is None:
        cleaned["budget_period"] = cleaned["budget_on_exhaustion"] = ""
        return
    if cleaned.get("association_type") == AssociationType.REFERRAL:
        form.add_error("budget_amount", FOR_RESELLERS)
    cleaned["budget_period"] = cleaned.get("budget_period") or BudgetPeriod.MONTHLY.value
    cleaned["budget_on_exhaustion"] = (
        cleaned.get("budget_on_exhaustion") or OnExhaustion.FREEZE.value
    )


def copied_preset(like: Invitation | InvitationBatch) -> dict[str, Any]:
    """Return what the fields begin with when something new is to be like this one."""
    if like.budget_amount is None:
        return {}
    return {name: getattr(like, name) for name in PRESET}
