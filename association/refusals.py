"""The sentences for what association refuses to do, by the code of the refusal."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from association.services.authorizations import AuthorizationProblem, AuthorizationRefused
from association.services.budget_requests import BudgetRequestProblem, BudgetRequestRefused
from association.services.customers import CustomerRefused

SENTENCES: dict[str, Any] = {
    "ended": _("This association has ended."),
    "not_owner": _("Only the owner of the account can decide this."),
    "not_reseller": _(
        "Only reseller customers are frozen and unfrozen by their partner, and have a budget."
    ),
    "no_budget": _("A budget has to be set first: without one the account stays frozen."),
    "frozen_too_often": _(
        "You have frozen this customer ten times within a day. Try again tomorrow."
    ),
    "not_a_member": _("Only a member of the partner can manage its customers."),
    AuthorizationProblem.LETTER_CHANGED: _(
        "The letter has changed while you were reading. Please read it again."
    ),
    AuthorizationProblem.ALREADY_GRANTED: _("The authorization has been given already."),
    AuthorizationProblem.ALREADY_DECLINED: _("The request has been declined already."),
    AuthorizationProblem.ALREADY_REVOKED: _("The authorization has been revoked already."),
    AuthorizationProblem.NOT_GRANTED: _("No authorization has been given yet."),
    AuthorizationProblem.NOT_REQUESTED: _("Nobody has asked for an authorization."),
    BudgetRequestProblem.NOT_FROZEN: _("The account does not wait for a budget."),
}


def sentence_for(refused: CustomerRefused | AuthorizationRefused | BudgetRequestRefused) -> str:
    """Return what to tell whoever wanted it."""
    return str(SENTENCES[refused.code])
