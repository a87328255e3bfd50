"""What became of freezes since a page showed them, in sentences."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _

from accounts.models import Freeze
from accounts.services.freezes import CAUSE_NAME, FREEZE_NAME
from audit.models import AuditEvent
from audit.services import last_events_of
from web.moments import moment_text

Who = Callable[[Any], str]


def freeze_sentences(names: Iterable[str], who: Who) -> list[str]:
    """Return a sentence for each of these changed values that is a freeze.

    Three statements at most, however many freezes there are.
    """
    freezes = _freezes(list(names))
    events = last_events_of(objects=freezes, names=("reason", "unfrozen_at"))
    return [_sentence(freeze, events, who) for freeze in freezes]


def _freezes(names: Sequence[str]) -> list[Freeze]:
    """Return the freezes that the names are about, in their order: of a cause, the newest one."""
    keys = {int(found[1]): name for name in names if (found := FREEZE_NAME.fullmatch(name))}
    causes = {
        (found[1], int(found[2])): name for name in names if (found := CAUSE_NAME.fullmatch(name))
    }
    by_name: dict[str, Freeze] = {}
    rows = Freeze.objects.select_related("account__owner")
    if keys:
        by_name = {keys[row.pk]: row for row in rows.filter(pk__in=keys)}
    if causes:
        newest = Freeze.objects.filter(account=OuterRef("account"), cause=OuterRef("cause"))
        newest = newest.order_by("-frozen_at", "-pk")
        of_causes = rows.filter(
            account__in={account for _cause, account in causes},
            cause__in={cause for cause, _account in causes},
        )
        for row in of_causes.filter(pk=Subquery(newest.values("pk")[:1])):
            if name := causes.get((row.cause, row.account_id)):
                by_name[name] = row
    return [by_name[name] for name in names if name in by_name]


def _sentence(freeze: Freeze, events: Mapping[tuple[str, str], AuditEvent], who: Who) -> str:
    if freeze.is_open:
        name, reason = "reason", freeze.reason
        text = _("%(account)s: %(who)s froze it on %(moment)s, %(scope)s%(reason)s.")
    else:
        name, reason = "unfrozen_at", freeze.unfreeze_reason
        text = _("%(account)s: %(who)s lifted this freeze on %(moment)s%(reason)s.")
    event = events.get((str(freeze.pk), name))
    return text % {
        "account": freeze.account.owner.account_name,
        "who": who(event.actor if event else None),
        "moment": moment_text(event.occurred_at if event else freeze.frozen_at),
        "scope": freeze.get_scope_display(),
        "reason": f" (“{reason}”)" if reason else "",
    }
