"""The shape of a budget."""

from django import forms
from django.utils.translation import gettext_lazy as _

from association.models import BudgetPeriod, OnExhaustion


class BudgetForm(forms.Form):
    """A budget: the amount in the currency of the product, its period, and what ends it."""

    amount = forms.DecimalField(
        label=_("Amount"),
        min_value=0,
        max_digits=14,
        decimal_places=2,
        help_text=_("In the currency of all money here. With 0 nothing can be spent."),
    )
    period = forms.ChoiceField(label=_("Period"), choices=BudgetPeriod.choices)
    on_exhaustion = forms.ChoiceField(label=_("When used up"), choices=OnExhaustion.choices)
