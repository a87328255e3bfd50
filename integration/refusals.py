"""The sentences for what integration refuses to do, by the code of the refusal."""

from enum import Enum
from typing import TYPE_CHECKING

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from association.refusals import sentence_for as other_sentence_for
from integration.enums import EndpointRefusal, KeyRefusal, UrlRefusal
from integration.services.endpoints import MOST_ENDPOINTS, MOST_WAITING
from integration.services.keys import MOST_LIVE_KEYS
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
    UrlRefusal.MALFORMED: _(
        "Enter an address like https://crm.example.com/hooks, without a name or password before the"
        " host, and without # or blanks. Write a name in other letters as xn--…"
    ),
    UrlRefusal.NOT_HTTPS: _("The address must begin with https://."),
    UrlRefusal.HOST_NOT_PUBLIC: _(
        "Enter a host that the whole internet can reach, by its full name and not by its number."
    ),
    UrlRefusal.PORT_REFUSED: _("The port must be 443, or from 1024 to 65535."),
    EndpointRefusal.TOO_MANY_ENDPOINTS: _(
        "Your organisation has %(most)s endpoints. Delete one that you do not need first."
    )
    % {"most": MOST_ENDPOINTS},
    EndpointRefusal.NO_LONGER_THERE: _("This endpoint has been deleted."),
    EndpointRefusal.EVENT_GONE: _("This event is no longer kept, so it cannot be sent again."),
    EndpointRefusal.TOO_MANY_WAITING: _(
        "%(most)s tests and repeats wait for this endpoint already. Try again in a minute."
    )
    % {"most": MOST_WAITING},
}


def sentence_for(refused: Refused) -> str:
    """Return what to tell about the refusal, of integration or of what it calls."""
    if refused.code in SENTENCES:
        return str(SENTENCES[refused.code])
    return other_sentence_for(refused)
