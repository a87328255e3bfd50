"""What a member confirms for many customers at once."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from association.forms.budgets import (
    BudgetAndUnfreezeForm,
    ask_to_confirm,
    budget_values,
    default_terms,
    doubts_about,
)
from association.forms.customers import FreezeFields, ManagerFields, UnfreezeFields
from association.services.bulk_customers import PresentState
from partners.forms.bulk import BulkForm
from partners.models import Partner

_STAY_FROZEN = ngettext_lazy("%(number)s stays frozen.", "%(number)s stay frozen.", "number")
_GET_LESS = ngettext_lazy(
    "%(number)s gets less than now.", "%(number)s get less than now.", "number"
)


class BudgetManyForm(BulkForm, BudgetAndUnfreezeForm):
    """One budget for each of the customers; it begins with the partner's default.

    What somebody may not have noticed must be confirmed: who stays frozen, and who gets less.
    """

    confirmed = forms.BooleanField(label=_("I want this all the same"), required=False)

    def __init__(self, *args: Any, partner: Partner, present: PresentState, **options: Any) -> None:
        unfreeze = bool(present.frozen_by_joining) and not present.frozen_by_partner
        initial = {"unfreeze": unfreeze, **default_terms(partner)}
        super().__init__(*args, initial=initial, **options)
        self.present = present
        if not self.is_bound:
            del self.fields["confirmed"]

    def clean_amount(self) -> Decimal:
        amount: Decimal = self.cleaned_data["amount"]
        if amount == 0:
            raise forms.ValidationError(
                _("With 0 nothing can be spent. Set such a budget on the customer’s own page.")
            )
        return amount

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        ask_to_confirm(self, self._doubts(cleaned.get("amount"), cleaned.get("unfreeze")))
        return cleaned

    def _doubts(self, amount: Decimal | None, unfreeze: bool | None) -> list[str]:
        if amount is None:
            return []
        present = self.present
        stay_frozen = present.frozen_by_provider if unfreeze else present.frozen
        get_less = sum(former > amount for former in present.amounts)
        return [
            *([_STAY_FROZEN % {"number": stay_frozen}] if stay_frozen else []),
            *([_GET_LESS % {"number": get_less}] if get_less else []),
            *doubts_about(amount),
        ]

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
