"""What became of freezes since a page showed them, in sentences."""

from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Freeze
from accounts.services.freezes import CAUSE_NAME, FREEZE_NAME
from audit.services import last_events
from web.versioned_forms import moment_text

Who = Callable[[Any], str]


def freeze_sentences(names: Iterable[str], who: Who) -> list[str]:
    """Return a sentence for each of these changed values that is a freeze."""
    return [_sentence(freeze, who) for name in names for freeze in _freezes(name)]


def _freezes(name: str) -> list[Freeze]:
    """Return the freeze that the name is about: of a cause, the newest one."""
    if found := FREEZE_NAME.fullmatch(name):
        about = Q(pk=found[1])
    elif found := CAUSE_NAME.fullmatch(name):
        about = Q(cause=found[1], account=found[2])
    else:
        return []
    rows = Freeze.objects.filter(about).select_related("account__owner")
    return list(rows.order_by("-frozen_at", "-pk")[:1])


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
