"""What a member confirms for many customers at once."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.fields import capitalised
from association.forms.budgets import budget_values
from association.forms.customers import FreezeFields, ManagerFields, UnfreezeFields
from partners.enums import OnExhaustion
from partners.forms.budgets import BudgetForm
from partners.forms.bulk import BulkForm
from partners.forms.reasons import reason_field
from partners.models import Partner


class BudgetManyForm(BulkForm, BudgetForm):
    """One budget for each of the customers; it begins with the partner's default."""

    unfreeze = forms.BooleanField(
        label=_("Unfreeze now"),
        required=False,
        help_text=_("Every freeze ends but the provider’s own."),
    )
    reason = reason_field(
        required=False, help_text=_("Why you unfreeze. Kept in the history; the customer reads it.")
    )

    def __init__(self, *args: Any, partner: Partner, **options: Any) -> None:
        initial = {}
        if partner.default_budget_amount is not None:
            initial = budget_values(
                partner.default_budget_amount,
                partner.default_budget_period,
                partner.default_budget_on_exhaustion,
            )
        super().__init__(*args, initial=initial, **options)
        # The partner itself is the reader.
        self.fields["on_exhaustion"].choices = [  # type: ignore[attr-defined]
            *capitalised([(OnExhaustion.FREEZE, OnExhaustion.FREEZE.label)]),
            (OnExhaustion.NOTIFY, _("Only tell your organisation")),
        ]

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
