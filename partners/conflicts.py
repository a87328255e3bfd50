"""What became of a partner's freeze since a page showed it, in sentences."""

from collections.abc import Callable, Iterable
from typing import Any

from django.utils.translation import gettext as _

from audit.models import AuditEvent
from audit.services import last_events_of
from partners.models import Partner
from partners.services.partner_freezes import FREEZE_NAME
from web.moments import moment_text

Who = Callable[[Any], str]


def partner_sentences(names: Iterable[str], who: Who) -> list[str]:
    """Return a sentence for each of these changed values: which freeze is, or was, the last one."""
    keys = [int(found[1]) for name in names if (found := FREEZE_NAME.fullmatch(name))]
    partners = list(Partner.objects.filter(pk__in=keys).order_by("pk"))
    events = last_events_of(objects=partners, names=("status",))
    last = [(partner, events.get((str(partner.pk), "status"))) for partner in partners]
    return [_sentence(partner, event, who) for partner, event in last if event is not None]


def _sentence(partner: Partner, event: AuditEvent, who: Who) -> str:
    if partner.is_frozen:
        text, reason = _("%(partner)s: %(who)s froze it on %(moment)s%(reason)s."), "frozen_reason"
    else:
        text, reason = (
            _("%(partner)s: %(who)s unfroze it on %(moment)s%(reason)s."),
            "unfreeze_reason",
        )
    given = (event.after or {}).get(reason)
    return text % {
        "partner": partner.name,
        "who": who(event.actor),
        "moment": moment_text(event.occurred_at),
        "reason": f" (“{given}”)" if given else "",
    }
