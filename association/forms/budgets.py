"""What a partner types to set a budget."""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.enums import FreezeCause
from accounts.fields import capitalised
from association.services.customer_lists import CustomerState
from association.services.customers import shown_terms
from partners.enums import BudgetPeriod, OnExhaustion
from partners.forms.budgets import BudgetForm
from partners.forms.presets import PRESET
from partners.forms.reasons import reason_field
from partners.models import Partner
from web.templatetags.money import money
from web.versioned_forms import VersionedForm

BUDGET_TERMS = ("amount", "period", "on_exhaustion")
NOTHING_CAN_BE_SPENT = _("With a budget of 0 nothing can be spent.")
USED_UP_AT_ONCE = _("As much has been spent this month already, so the budget is used up at once.")
# So much is more often a mistake than a budget.
LARGE = Decimal(10_000_000)
DEFAULT = tuple(f"default_budget_{name}" for name in BUDGET_TERMS)


class FilledIn(StrEnum):
    """From where the form has the terms that it begins with."""

    BUDGET = "budget"
    INVITATION = "invitation"
    SETTINGS = "settings"
    NOWHERE = "nowhere"


def first_terms(state: CustomerState, *, partner: Partner) -> tuple[FilledIn, dict[str, Any]]:
    """Return what the form begins with.

    The customer's own budget, its invitation's preset, or else the partner's default.
    """
    if state.budget is not None:
        return FilledIn.BUDGET, _terms_of(state.budget, BUDGET_TERMS)
    invitation = state.association.invitation
    if invitation.budget_amount is not None:
        return FilledIn.INVITATION, _terms_of(invitation, PRESET)
    default = default_terms(partner)
    return (FilledIn.SETTINGS if default else FilledIn.NOWHERE), default


def default_terms(partner: Partner) -> dict[str, Any]:
    """Return the partner's default budget as values of the form, if there is one."""
    return {} if partner.default_budget_amount is None else _terms_of(partner, DEFAULT)


def _terms_of(row: Any, names: Sequence[str]) -> dict[str, Any]:
    return budget_values(*(getattr(row, name) for name in names))


def budget_values(amount: Decimal, period: str, on_exhaustion: str) -> dict[str, Any]:
    return {"amount": f"{amount:.2f}", "period": period, "on_exhaustion": on_exhaustion}


def shown_state(state: CustomerState) -> dict[str, Any]:
    return shown_terms(state.association, state.budget, state.freezes)


class BudgetAndUnfreezeForm(BudgetForm):
    """A budget of one customer or of many, and unfreezing in the same transaction."""

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

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # The partner itself is the reader.
        self.fields["on_exhaustion"].choices = [  # type: ignore[attr-defined]
            *capitalised([(OnExhaustion.FREEZE, OnExhaustion.FREEZE.label)]),
            (OnExhaustion.NOTIFY, _("Only tell your organisation")),
        ]


class SetBudgetForm(VersionedForm, BudgetAndUnfreezeForm):
    """The form of one customer; a budget that is used up at once, or huge, must be confirmed.

    `spent` is what the customer has spent this month.
    """

    filled_in = FilledIn.NOWHERE

    confirmed = forms.BooleanField(label=_("I want this budget all the same"), required=False)

    def __init__(self, *args: Any, may_unfreeze: bool, spent: Decimal, **options: Any) -> None:
        super().__init__(*args, **options)
        self.spent = spent
        if not may_unfreeze:
            del self.fields["unfreeze"], self.fields["reason"]
        if not self.is_bound:
            del self.fields["confirmed"]
            self.fields["amount"].widget.attrs["autofocus"] = True

    @classmethod
    def for_customer(cls, state: CustomerState, *, partner: Partner, spent: Decimal) -> Self:
        """Return the form to show, with its `first_terms()`."""
        filled_in, terms = first_terms(state, partner=partner)
        causes = state.causes
        # What the partner froze on purpose stays frozen unless it says otherwise.
        unfreeze = FreezeCause.ASSOCIATION in causes and FreezeCause.PARTNER not in causes
        form = cls(
            shows=shown_state(state),
            may_unfreeze=bool(causes - {FreezeCause.ADMINISTRATOR}),
            spent=spent,
            initial={"unfreeze": unfreeze, **terms},
        )
        form.filled_in = filled_in
        return form

    @classmethod
    def of_answer(cls, data: QueryDict, *, spent: Decimal) -> Self:
        """Return the form as it was sent, with the fields that it was shown with.

        Before its page is shown again, the form must be told what that shows.
        """
        may_unfreeze = "reason" in data or "unfreeze" in data
        return cls(data, shows={}, may_unfreeze=may_unfreeze, spent=spent)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        ask_to_confirm(self, self._doubts(cleaned.get("amount"), cleaned.get("period")))
        return cleaned

    def _doubts(self, amount: Decimal | None, period: str | None) -> list[Any]:
        if amount is None:
            return []
        if amount == 0:
            return [NOTHING_CAN_BE_SPENT]
        if self.spent >= amount and period == BudgetPeriod.MONTHLY:
            return [USED_UP_AT_ONCE]
        return doubts_about(amount)


def doubts_about(amount: Decimal) -> list[str]:
    """Return what is asked about an amount of which a digit may be too many."""
    return [_("That is %(amount)s.") % {"amount": money(amount)}] if amount >= LARGE else []


def ask_to_confirm(form: forms.Form, doubts: Sequence[Any]) -> None:
    """Ask for the tick in the field `confirmed` if there are doubts; else remove the field."""
    if not doubts:
        del form.fields["confirmed"]
        return
    form.fields["confirmed"].required = True
    if not form.cleaned_data.get("confirmed"):
        sentences = [*doubts, _("Tick the box to confirm.")]
        form.add_error("confirmed", " ".join(str(sentence) for sentence in sentences))
