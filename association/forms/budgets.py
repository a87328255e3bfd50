"""What a partner types to set a budget."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.fields import capitalised
from association.models import BudgetPeriod, OnExhaustion

LONGEST_REASON = 256
_AMOUNT = re.compile(r"(?P<minus>-)?(?P<whole>[0-9]+)(?:\.(?P<cents>[0-9]*))?")


class AmountField(forms.DecimalField):
    """Money as an exact decimal: digits, and a point before the cents; nothing is guessed."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    default_error_messages = {
        "required": _("Enter the amount."),
        "invalid": _(
            "Enter the amount in digits, with a point before the cents, like 1500.00. Leave out"
            " commas and signs."
        ),
        "negative": _("The amount cannot be less than 0."),
        "too_fine": _("Use at most two digits after the point."),
        "too_large": _("Use at most twelve digits before the point."),
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=14, decimal_places=2, **options)

    def to_python(self, value: Any) -> Any:
        """Return the amount, or None for nothing typed. Raises ValidationError."""
        text = str(value or "").strip()
        if not text:
            return None
        read = _AMOUNT.fullmatch(text)
        if read is None:
            raise self._refused("invalid")
        if read["minus"]:
            raise self._refused("negative")
        if len(read["cents"] or "") > 2:
            raise self._refused("too_fine")
        if len(read["whole"].lstrip("0")) > 12:
            raise self._refused("too_large")
        return Decimal(text)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Leave out the steps of a number field: it would swallow what it cannot read."""
        return {}

    def _refused(self, code: str) -> ValidationError:
        return ValidationError(self.error_messages[code], code=code)


def reason_field(*, required: bool, help_text: Any) -> forms.CharField:
    """Return the field for why something is done."""
    return forms.CharField(
        label=_("Reason"),
        required=required,
        max_length=LONGEST_REASON,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "required": _("Give the reason."),
            "max_length": _("Use at most 256 characters."),
        },
    )


class BudgetForm(forms.Form):
    """A budget: the amount in the currency of the product, its period, and what ends it."""

    amount = AmountField(label=_("Amount"))
    period = forms.ChoiceField(label=_("Period"), choices=capitalised(BudgetPeriod.choices))
    on_exhaustion = forms.ChoiceField(
        label=_("When used up"), choices=capitalised(OnExhaustion.choices)
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        text = _("In %(currency)s, like 1500.00. With 0 nothing can be spent.")
        self.fields["amount"].help_text = text % {"currency": settings.CURRENCY}


class _ShownAtField(forms.DateTimeField):
    """When the page was shown; what is no moment says nothing, and nobody sees the field."""

    def clean(self, value: Any) -> Any:
        """Return the moment, or None."""
        try:
            return super().clean(value)
        except ValidationError:
            return None


class SetBudgetForm(BudgetForm):
    """The console's form: a budget, and unfreezing in the same moment.

    `spent`: what each customer, by name, has spent this month. A budget that is used up from the
    start is taken only when it is confirmed. `shown_at` tells a double click from another budget.
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
    shown_at = _ShownAtField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, may_unfreeze: bool, spent: Mapping[str, Decimal], **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.spent = spent
        if not may_unfreeze:
            del self.fields["unfreeze"], self.fields["reason"]
        if not self.is_bound:
            del self.fields["confirmed"]

    def clean(self) -> dict[str, Any]:
        """Ask for a confirmation where the budget leaves nothing to spend."""
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
        used_up = [name for name, spent in self.spent.items() if spent >= amount]
        if not used_up or period != BudgetPeriod.MONTHLY:
            return None
        text = _(
            "As much has been spent this month already, so the budget is used up at once:"
            " %(customers)s. Tick the box to confirm."
        )
        return ValidationError(text, params={"customers": ", ".join(used_up)})
