"""The sentences for what integration refuses to do, by the code of the refusal."""

from enum import Enum, StrEnum
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from association.enums import AssociationRefusal
from association.refusals import SENTENCES as OF_CUSTOMERS
from integration.enums import CallProblem, KeyRefusal
from integration.services.keys import MOST_LIVE_KEYS
from partners.enums import InvitationProblem, InvitationRequestRefusal, RowProblem
from partners.refusals import SENTENCES as OF_INVITATIONS
from web.limits import LimitRefusal

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SENTENCES: "dict[Enum, StrOrPromise]" = {
    KeyRefusal.TOO_MANY_KEYS: _(
        "Your organisation has %(most)s keys that can be used. Revoke one that nobody needs first."
    )
    % {"most": MOST_LIVE_KEYS},
    KeyRefusal.LIFE_TOO_LONG: _("A key lives for a year at most."),
}

# What is wrong with a call itself; the problem that it is answered says more.
OF_CALLS: "dict[StrEnum, StrOrPromise]" = {
    CallProblem.KEY_MISSING: _("The call has no key in its header Authorization."),
    CallProblem.KEY_UNKNOWN: _("This key does not exist, has expired or was revoked."),
    CallProblem.KEY_IN_ADDRESS: _("The address contains a key. Revoke that key."),
    CallProblem.SCOPE_MISSING: _("The key lacks the scope that “missing_scope” names."),
    CallProblem.NOT_FOUND: _("There is no such object, or it is not yours."),
    CallProblem.BODY_NOT_JSON: _("The body cannot be read as JSON."),
    CallProblem.CONTENT_TYPE_NOT_JSON: _("The body is not declared as JSON."),
    CallProblem.FIELDS_INVALID: _("A field or parameter is not right: “fields” names each."),
    CallProblem.CURSOR_UNKNOWN: _("“after” names no place in this list. Begin without it."),
    CallProblem.IDEMPOTENCY_KEY_INVALID: _("The Idempotency-Key is too long, or is not ASCII."),
    CallProblem.IDEMPOTENCY_KEY_USED: _("The Idempotency-Key was used for another call."),
    LimitRefusal.TRIED_TOO_OFTEN: _("Too many calls. Retry-After says when to try again."),
}
# What the services refuse that the API calls.
_OF_ASSOCIATIONS = (
    AssociationRefusal.ENDED,
    AssociationRefusal.NOT_RESELLER,
    AssociationRefusal.NO_BUDGET,
    AssociationRefusal.PARTNER_FROZEN,
    AssociationRefusal.FROZEN_TOO_OFTEN,
    AssociationRefusal.FROZEN_FOR_OTHER_REASON,
    AssociationRefusal.ALREADY_GRANTED,
    AssociationRefusal.END_REQUEST_OPEN,
    AssociationRefusal.END_ASKED_TOO_OFTEN,
    AssociationRefusal.END_OBSTRUCTED,
    AssociationRefusal.END_REQUEST_ANSWERED,
    AssociationRefusal.WRONG_SIDE,
)
_OF_INVITATIONS = (
    *InvitationProblem,
    RowProblem.DUPLICATE,
    InvitationRequestRefusal.ANSWERED,
    InvitationRequestRefusal.DISMISSED,
)


def codes_of_the_api() -> "list[tuple[str, StrOrPromise]]":
    """Return the codes that a call may be answered, each with its sentence."""
    return sorted(
        [
            *((code.value, sentence) for code, sentence in OF_CALLS.items()),
            *((code.value, OF_CUSTOMERS[code]) for code in _OF_ASSOCIATIONS),
            *((code.value, OF_INVITATIONS[code]) for code in _OF_INVITATIONS),
        ],
        key=lambda row: row[0],
    )
