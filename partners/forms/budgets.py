"""What is typed about any budget: the amount, its period, and what happens when it is used up."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.fields import capitalised
from partners.enums import BudgetPeriod, OnExhaustion
from web.number_fields import DecimalNumberField
from web.typed_text import trim

_TOO_LARGE = _("Use at most twelve digits before the point and two after it.")


class AmountField(DecimalNumberField):
    """An exact amount of money, not below zero."""

    default_error_messages = {
        "required": _("Enter the amount."),
        "invalid": _("Enter the amount in digits, like 1500.00, without a currency or a sign."),
        "min_value": _("The amount cannot be less than 0."),
        "max_decimal_places": _("Use at most two digits after the point."),
        "max_digits": _TOO_LARGE,
        "max_whole_digits": _TOO_LARGE,
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_digits=14, decimal_places=2, **options)

    def to_python(self, value: Any) -> Any:
        """Accept a sign only before an amount below zero, for which there is a sentence."""
        amount = super().to_python(value)
        is_signed = isinstance(value, str) and trim(value).startswith(("+", "-"))
        if is_signed and amount is not None and amount >= 0:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return amount


class BudgetForm(forms.Form):
    amount = AmountField(label=_("Amount"))
    period = forms.TypedChoiceField(
        label=_("Period"), choices=capitalised(BudgetPeriod.choices), coerce=BudgetPeriod
    )
    on_exhaustion = forms.TypedChoiceField(
        label=_("When used up"), choices=capitalised(OnExhaustion.choices), coerce=OnExhaustion
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        text = _("In %(currency)s, like 1500.00. With 0 nothing can be spent.")
        self.fields["amount"].help_text = text % {"currency": settings.CURRENCY}
