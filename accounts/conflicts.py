"""What became of freezes since a page showed them, in sentences."""

from collections.abc import Callable, Iterable
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Freeze
from accounts.services.freezes import find_shown_freeze
from audit.services import last_events
from web.versioned_forms import moment_text

Who = Callable[[Any], str]


def freeze_sentences(names: Iterable[str], who: Who) -> list[str]:
    """Return a sentence for each of these changed values that is a freeze."""
    freezes = [find_shown_freeze(name) for name in names]
    return [_sentence(freeze, who) for freeze in freezes if freeze is not None]


def _sentence(freeze: Freeze, who: Who) -> str:
    if freeze.is_open:
        names, reason = ("reason",), freeze.reason
        text = _("%(account)s: %(who)s froze it on %(moment)s, %(scope)s%(reason)s.")
    else:
        names, reason = ("unfrozen_at",), freeze.unfreeze_reason
        text = _("%(account)s: %(who)s lifted this freeze on %(moment)s%(reason)s.")
    event = last_events(about=freeze, names=names).get(names[0])
    return text % {
        "account": freeze.account.owner.account_name,
        "who": who(event.actor if event else None),
        "moment": moment_text(event.occurred_at if event else freeze.frozen_at),
        "scope": freeze.get_scope_display(),
        "reason": f" (“{reason}”)" if reason else "",
    }
