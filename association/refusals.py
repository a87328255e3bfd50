"""The sentences for what association refuses, by the code of the refusal."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from association.enums import (
    AttemptActionProblem,
    AuthorizationProblem,
    BudgetRequestProblem,
    CustomerProblem,
    JourneyRefusal,
)
from partners.refusals import sentence_for as invitation_sentence_for
from web.refused import Refused

SENTENCES: dict[Any, Any] = {
    CustomerProblem.ENDED: _("This association has ended."),
    CustomerProblem.NOT_RESELLER: _(
        "Only reseller customers are frozen and unfrozen by their partner, and have a budget."
    ),
    CustomerProblem.NO_BUDGET: _(
        "A budget has to be set first: without one the account stays frozen."
    ),
    CustomerProblem.FROZEN_TOO_OFTEN: _(
        "You have frozen this customer ten times within a day. Try again tomorrow."
    ),
    CustomerProblem.NOT_A_MEMBER: _("Only a member of the partner can manage its customers."),
    AuthorizationProblem.NOT_OWNER: _("Only the owner of the account can decide this."),
    AuthorizationProblem.LETTER_CHANGED: _(
        "The letter has changed while you were reading. Please read it again."
    ),
    AuthorizationProblem.ALREADY_GRANTED: _("The authorization has been given already."),
    AuthorizationProblem.ALREADY_DECLINED: _("The request has been declined already."),
    AuthorizationProblem.ALREADY_REVOKED: _("The authorization has been revoked already."),
    AuthorizationProblem.NOT_GRANTED: _("No authorization has been given yet."),
    AuthorizationProblem.NOT_REQUESTED: _("Nobody has asked for an authorization."),
    BudgetRequestProblem.NOT_FROZEN: _("The account does not wait for a budget."),
    AttemptActionProblem.NOT_POSSIBLE: _(
        "This does not help here, or no longer. The page shows what does."
    ),
    AttemptActionProblem.ADDRESS_UNKNOWN: _("No address is known yet."),
    JourneyRefusal.FINISHED: _("The attempt has led to an association meanwhile."),
}


def sentence_for(refused: Refused) -> str:
    """Return what to tell the person whose action was refused, here or in partners."""
    if refused.code in SENTENCES:
        return str(SENTENCES[refused.code])
    return invitation_sentence_for(refused)
