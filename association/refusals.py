"""The sentences for what association refuses to do, by the code of the refusal."""

from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from association.enums import (
    AssociationRefusal,
    DocumentRefusal,
    ErasureRefusal,
    JourneyRefusal,
)
from partners.refusals import sentence_for as invitation_sentence_for
from partners.refusals import with_moment
from web.refused import Refused

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SENTENCES: "dict[StrEnum, StrOrPromise]" = {
    AssociationRefusal.ENDED: _("This association has ended."),
    AssociationRefusal.NOT_OWNER: _("Only the owner of the account can decide this."),
    AssociationRefusal.NOT_RESELLER: _(
        "Only reseller customers are frozen and unfrozen by their partner, and have a budget."
    ),
    AssociationRefusal.NOT_A_MEMBER: _("Only a member of the partner can manage its customers."),
    AssociationRefusal.NOT_AN_ADMINISTRATOR: _("Only administrators assign managers."),
    AssociationRefusal.NOTHING_TO_LIFT: _("It has no freeze that you may lift."),
    AssociationRefusal.USED_UP_AT_ONCE: _(
        "It has spent as much this month already. Set its budget on its own page."
    ),
    AssociationRefusal.BUDGET_SET_MEANWHILE: _(
        "A budget was set for it after you chose it. Look at that one first."
    ),
    AssociationRefusal.NO_BUDGET: _(
        "A budget has to be set first: without one the account stays frozen."
    ),
    AssociationRefusal.PARTNER_FROZEN: _(
        "The provider has frozen your organisation. Until that ends you cannot freeze customers"
        " nor request an authorization."
    ),
    AssociationRefusal.FROZEN_TOO_OFTEN: _(
        "You have frozen this customer ten times within a day. Try again later."
    ),
    AssociationRefusal.FROZEN_FOR_OTHER_REASON: _(
        "The account had been frozen already. Nothing has changed, and the customer is not told of"
        " this reason. To give another reason, unfreeze the account first."
    ),
    AssociationRefusal.FROZEN_ALREADY: _("You have frozen it already."),
    AssociationRefusal.NOT_FROZEN: _("Your account is not frozen, so there is nothing to ask for."),
    AssociationRefusal.ASKING_DOES_NOT_HELP: _(
        "Asking your partner does not lift this freeze. This page says what does."
    ),
    AssociationRefusal.OTHER_ASK: _(
        "Your account has changed since the page was opened. The page shows what you can do now."
    ),
    AssociationRefusal.AUTHORIZATION_LETTER_CHANGED: _(
        "The letter has changed while you were reading. Please read it again."
    ),
    AssociationRefusal.ALREADY_GRANTED: _("The authorization has been given already."),
    AssociationRefusal.ALREADY_DECLINED: _("The request has been declined already."),
    AssociationRefusal.ALREADY_REVOKED: _("The authorization has been revoked already."),
    AssociationRefusal.NOT_GRANTED: _("No authorization has been given yet."),
    AssociationRefusal.NOT_REQUESTED: _("The partner has not asked for an authorization."),
    AssociationRefusal.GRANTED_TOO_OFTEN: _(
        "You have given the authorization five times within a day."
    ),
    AssociationRefusal.END_REQUEST_OPEN: _("A request to end this association is open already."),
    AssociationRefusal.END_ASKED_TOO_OFTEN: _(
        "You have asked to end this association five times within a day."
    ),
    AssociationRefusal.END_OBSTRUCTED: _(
        "The association cannot end yet: something has to be settled first."
    ),
    AssociationRefusal.END_REQUEST_ANSWERED: _(
        "The request to end was answered or withdrawn in the meantime."
    ),
    AssociationRefusal.WRONG_SIDE: _(
        "Only the side that was asked can answer, and only the side that asked can withdraw."
    ),
    AssociationRefusal.END_REQUEST_NOT_DUE: _("The other side still has time to answer."),
    AssociationRefusal.NOT_POSSIBLE: _(
        "This does not help here, or no longer. The page shows what does."
    ),
    AssociationRefusal.WRITTEN_TOO_OFTEN: _(
        "You have written to this person within the last 24 hours."
    ),
    AssociationRefusal.EMAIL_UNWANTED: _("This person does not want e-mail from you."),
    AssociationRefusal.ADDRESS_UNKNOWN: _("No address is known yet."),
    JourneyRefusal.FINISHED: _("The attempt has led to an association meanwhile."),
    JourneyRefusal.OTHER_ACCOUNT: _("The attempt belongs to another account."),
    JourneyRefusal.NOTHING_REFUSED: _("Nothing refuses the account: it may join."),
    JourneyRefusal.NOT_ADMITTED: _("The account may not join through this invitation."),
    JourneyRefusal.ALREADY_ASSOCIATED: _("The account is a customer of this partner already."),
    JourneyRefusal.STEP_UNDONE: _("A step before this one is not done."),
    JourneyRefusal.DOCUMENT_CHANGED: _(
        "The documents have changed while you were reading. Please read them again."
    ),
    DocumentRefusal.ALREADY_PUBLISHED: _("This document is published already."),
    ErasureRefusal.UNKNOWN: _("No account has this account name or e-mail address."),
    ErasureRefusal.ASSOCIATED: _(
        "This account is a partner’s customer: end the association in the admin, then erase it."
    ),
    ErasureRefusal.IS_MEMBER: _(
        "This user acts for a partner: remove the member in the admin, then erase the account."
    ),
    ErasureRefusal.IS_STAFF: _(
        "This user may open the admin: take that right away in the admin, then erase the account."
    ),
    ErasureRefusal.IS_SUPPORT: _(
        "This is a partner’s support address: change it in the admin, then erase the account."
    ),
}


def sentence_for(refused: Refused) -> str:
    """Return what to tell the person whose action was refused, here or in partners."""
    if refused.code in SENTENCES:
        return with_moment(str(SENTENCES[refused.code]), refused)
    return invitation_sentence_for(refused)
