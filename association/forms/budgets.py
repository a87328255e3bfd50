"""What a partner types to set a budget."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Self

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.enums import FreezeCause
from accounts.fields import capitalised
from association.enums import BudgetPeriod, OnExhaustion
from association.services.customer_lists import CustomerState
from association.services.customers import shown_terms
from web.number_fields import DecimalNumberField
from web.text_fields import LinesField
from web.typed_text import trim
from web.versioned_forms import VersionedForm

LONGEST_REASON = 256
AT_MOST = format_lazy(_("At most {number} characters."), number=LONGEST_REASON)
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


def reason_field(*, required: bool, help_text: Any) -> LinesField:
    return LinesField(
        label=_("Reason"),
        required=required,
        max_length=LONGEST_REASON,
        help_text=format_lazy("{} {}", AT_MOST, help_text),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "required": _("Give the reason."),
            "max_length": format_lazy(_("Use at most {number} characters."), number=LONGEST_REASON),
        },
    )


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


def shown_state(states: Sequence[CustomerState]) -> dict[str, Any]:
    budgets = {state.association.pk: state.budget for state in states}
    return shown_terms(budgets, [freeze for state in states for freeze in state.freezes])


class SetBudgetForm(VersionedForm, BudgetForm):
    """The console's form: a budget, and unfreezing in the same transaction.

    `spent`: the name of each customer, and what it has spent this month. A budget that is used up
    at once must be confirmed.
    """

    unfreeze = forms.BooleanField(
        label=_("Unfreeze now"),
        required=False,
        help_text=_(
            "Every freeze ends but the provider’s own. Otherwise the account stays frozen: a budget"
            " alone does not unfreeze it."
        ),
    )
    reason = reason_field(
        required=False, help_text=_("Why you unfreeze. Kept in the history; the customer reads it.")
    )
    confirmed = forms.BooleanField(label=_("I want this budget all the same"), required=False)

    def __init__(
        self, *args: Any, may_unfreeze: bool, spent: Sequence[tuple[str, Decimal]], **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.spent = spent
        # The partner itself is the reader.
        self.fields["on_exhaustion"].choices = [  # type: ignore[attr-defined]
            *capitalised([(OnExhaustion.FREEZE, OnExhaustion.FREEZE.label)]),
            (OnExhaustion.NOTIFY, _("Only tell your organisation")),
        ]
        if not may_unfreeze:
            del self.fields["unfreeze"], self.fields["reason"]
        if not self.is_bound:
            del self.fields["confirmed"]

    @classmethod
    def for_customers(cls, states: Sequence[CustomerState]) -> Self:
        """Return the form to show; a single customer's current budget is filled in."""
        causes = {cause for state in states for cause in state.causes}
        initial: dict[str, Any] = {"unfreeze": FreezeCause.ASSOCIATION in causes}
        budget = states[0].budget if len(states) == 1 else None
        if budget is not None:
            initial |= {
                "amount": f"{budget.amount:.2f}",
                "period": budget.period,
                "on_exhaustion": budget.on_exhaustion,
            }
        may_unfreeze = bool(causes - {FreezeCause.ADMINISTRATOR})
        shows = shown_state(states)
        return cls(shows=shows, may_unfreeze=may_unfreeze, spent=(), initial=initial)

    @classmethod
    def of_answer(cls, data: QueryDict, *, spent: Sequence[tuple[str, Decimal]]) -> Self:
        """Return the form as it was sent, with the fields that it was shown with.

        Before its page is shown again, the form must be told what that shows.
        """
        may_unfreeze = "reason" in data or "unfreeze" in data
        return cls(data, shows={}, may_unfreeze=may_unfreeze, spent=spent)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        doubt = self._doubt(cleaned.get("amount"), cleaned.get("period"))
        if doubt is None:
            del self.fields["confirmed"]
        else:
            self.fields["confirmed"].required = True
            if not cleaned.get("confirmed"):
                self.add_error("confirmed", doubt)
        return cleaned

    def _doubt(self, amount: Decimal | None, period: str | None) -> Any:
        if amount is None:
            return None
        if amount == 0:
            return _("With a budget of 0 nothing can be spent. Tick the box to confirm.")
        used_up = [name for name, spent in self.spent if spent >= amount]
        if not used_up or period != BudgetPeriod.MONTHLY:
            return None
        text = _(
            "As much has been spent this month already, so the budget is used up at once:"
            " %(customers)s. Tick the box to confirm."
        )
        return ValidationError(text, params={"customers": ", ".join(used_up)})
