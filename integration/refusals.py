"""The sentences for what integration refuses to do, by the code of the refusal."""

from enum import Enum, StrEnum
from typing import TYPE_CHECKING

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.enums import ConnectionRefusal, CustomerAccountRefusal
from accounts.refusals import SENTENCES as OF_ACCOUNTS
from association.enums import AssociationRefusal
from association.refusals import SENTENCES as OF_CUSTOMERS
from association.refusals import sentence_for as other_sentence_for
from integration.enums import (
    CallProblem,
    EndpointRefusal,
    KeyRefusal,
    LogInProblem,
    UrlRefusal,
)
from integration.services.endpoints import MOST_ENDPOINTS, MOST_WAITING
from integration.services.keys import MOST_LIVE_KEYS
from partners.enums import (
    InvitationProblem,
    InvitationRequestRefusal,
    MemberRefusal,
    NameRefusal,
    PartnerRefusal,
    RowProblem,
)
from partners.refusals import SENTENCES as OF_INVITATIONS
from web.limits import LimitRefusal
from web.refused import Refused

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SENTENCES: "dict[Enum, StrOrPromise]" = {
    KeyRefusal.TOO_MANY_KEYS: format_lazy(
        _(
            "Your organisation has {most} keys that can be used. Revoke one that is not needed any"
            " more first."
        ),
        most=MOST_LIVE_KEYS,
    ),
    KeyRefusal.LIFE_TOO_LONG: _("A key lives for a year at most."),
    LogInProblem.FLOW_UNKNOWN: _(
        "This log-in cannot be continued here: it was used already, took longer than ten minutes,"
        " or was begun in another browser. Nothing has been changed."
    ),
    LogInProblem.CANCELLED: _("You did not log in there. Nothing has been changed."),
    LogInProblem.ISSUER_REFUSED: _(
        "It did not log you in. Nothing has been changed. Try again, or choose another way."
    ),
    LogInProblem.ISSUER_UNAVAILABLE: _(
        "It does not answer at the moment. Nothing has been changed, and what you did so far is"
        " kept."
    ),
    LogInProblem.ANSWER_WRONG: _(
        "We could not verify its answer, so you are not logged in. Nothing has been changed. If"
        " this happens again, tell the support."
    ),
    LogInProblem.ADDRESS_NOT_PROVEN: _(
        "It does not confirm that your e-mail address is yours. Confirm the address there, then try"
        " again. Nothing has been changed."
    ),
    LogInProblem.NO_ACCOUNT: _(
        "This log-in has no account here yet. You get one by following a partner's invitation: open"
        " it and begin there."
    ),
    LogInProblem.LOG_IN_OLD: _(
        "Nothing has been connected. Log out and log in again first: you have ten minutes then."
    ),
    UrlRefusal.MALFORMED: _(
        "Enter an address like https://crm.example.com/hooks, without a name or password before the"
        " host, and without # or blanks. Write a name in other letters as xn--…"
    ),
    UrlRefusal.NOT_HTTPS: _("The address must begin with https://."),
    UrlRefusal.HOST_NOT_PUBLIC: _(
        "Enter a host that the whole internet can reach, by its full name and not by its number."
    ),
    UrlRefusal.PORT_REFUSED: _("The port must be 443, or from 1024 to 65535."),
    EndpointRefusal.TOO_MANY_ENDPOINTS: format_lazy(
        _("Your organisation has {most} endpoints. Delete one that you do not need first."),
        most=MOST_ENDPOINTS,
    ),
    EndpointRefusal.NO_LONGER_THERE: _("This endpoint has been deleted."),
    EndpointRefusal.EVENT_GONE: _("This event is no longer kept, so it cannot be sent again."),
    EndpointRefusal.TOO_MANY_WAITING: format_lazy(
        _("{most} tests and repeats wait for this endpoint already. Try again in a minute."),
        most=MOST_WAITING,
    ),
}

# What is wrong with a call itself; the problem that it is answered says more.
OF_CALLS: "dict[StrEnum, StrOrPromise]" = {
    CallProblem.KEY_MISSING: _("The call has no key in its header Authorization."),
    CallProblem.KEY_UNKNOWN: _("This key does not exist, has expired or was revoked."),
    CallProblem.KEY_IN_ADDRESS: _("The address contains a key. Revoke that key."),
    CallProblem.SCOPE_MISSING: _("The key or token lacks the scope that “missing_scope” names."),
    CallProblem.KEY_OF_OTHER_SIDE: _(
        "The call is for keys of partners, and this is one of the provider; or the reverse."
    ),
    CallProblem.JWT_REJECTED: _("The token of the issuer is not valid; “detail” says why."),
    CallProblem.ISSUER_UNAVAILABLE: _(
        "The keys of the issuer cannot be read now. Retry-After says when to try again."
    ),
    CallProblem.NOT_FOUND: _("There is no such address or object, or it is not yours."),
    CallProblem.UNREADABLE: _("The call cannot be read."),
    CallProblem.METHOD_NOT_ALLOWED: _("The header Allow names the methods of this address."),
    CallProblem.LENGTH_REQUIRED: _("Send Content-Length: a chunked body is not read."),
    CallProblem.CODING_REFUSED: _("Send the body without Content-Encoding."),
    CallProblem.TOO_LARGE: _("The body is too large: at most 2 MB."),
    CallProblem.FAILED: _("An error of this system stopped it. Name the request id."),
    CallProblem.UNAVAILABLE: _("The service is not available for a moment. Try again."),
    CallProblem.BODY_NOT_JSON: _("The body cannot be read as JSON."),
    CallProblem.BODY_NOT_EXPECTED: _("This call takes no body."),
    CallProblem.CONTENT_TYPE_NOT_JSON: _("The body is not declared as JSON."),
    CallProblem.CONTENT_TYPE_NOT_BATCH: _(
        "The body is declared neither as JSON lines nor as a CloudEvents batch."
    ),
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
    MemberRefusal.MAILED_TOO_OFTEN,
    *PartnerRefusal,
    *NameRefusal,
)


def codes_of_the_api() -> "list[tuple[str, StrOrPromise]]":
    """Return the codes that a call may be answered, each with its sentence."""
    return sorted(
        [
            *((code.value, sentence) for code, sentence in OF_CALLS.items()),
            *((code.value, SENTENCES[code]) for code in (*EndpointRefusal, *UrlRefusal)),
            *((code.value, OF_ACCOUNTS[code]) for code in CustomerAccountRefusal),
            *((code.value, OF_CUSTOMERS[code]) for code in _OF_ASSOCIATIONS),
            *((code.value, OF_INVITATIONS[code]) for code in _OF_INVITATIONS),
        ],
        key=lambda row: row[0],
    )


def sentence_for(refused: Refused) -> str:
    """Return what to tell about the refusal, of integration or of what it calls."""
    if refused.code in SENTENCES:
        return str(SENTENCES[refused.code])
    if isinstance(refused.code, ConnectionRefusal | CustomerAccountRefusal):
        return str(OF_ACCOUNTS[refused.code])
    return other_sentence_for(refused)
