"""What a member confirms for many customers at once."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from association.forms.budgets import BudgetAndUnfreezeForm, budget_values, default_terms
from association.forms.customers import FreezeFields, ManagerFields, UnfreezeFields
from partners.forms.bulk import BulkForm
from partners.models import Partner


class BudgetManyForm(BulkForm, BudgetAndUnfreezeForm):
    """One budget for each of the customers; it begins with the partner's default.

    `has_frozen_by_joining`: whether one of them is frozen since joining, as in the form of one.
    """

    def __init__(
        self, *args: Any, partner: Partner, has_frozen_by_joining: bool, **options: Any
    ) -> None:
        initial = {"unfreeze": has_frozen_by_joining, **default_terms(partner)}
        super().__init__(*args, initial=initial, **options)

    def clean_amount(self) -> Decimal:
        amount: Decimal = self.cleaned_data["amount"]
        if amount == 0:
            raise forms.ValidationError(
                _("With 0 nothing can be spent. Set such a budget on the customer’s own page.")
            )
        return amount

    def terms(self) -> dict[str, Any]:
        answer = self.cleaned_data
        budget = budget_values(answer["amount"], answer["period"], answer["on_exhaustion"])
        return {**budget, "unfreeze": answer["unfreeze"]}


class FreezeManyForm(BulkForm, FreezeFields):
    def terms(self) -> dict[str, Any]:
        return {"scope": self.cleaned_data["scope"]}


class UnfreezeManyForm(BulkForm, UnfreezeFields):
    """Its reason is all that is typed."""


class ManagerManyForm(BulkForm, ManagerFields):
    def terms(self) -> dict[str, Any]:
        manager = self.chosen_member()
        return {"manager": None if manager is None else manager.pk}
