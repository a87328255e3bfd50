"""What waits for an administrator: lines of the first page of the admin."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core import checks
from django.utils.translation import gettext, ngettext

from outbox.models import OutboxMessage
from outbox.services.queue import is_delayed
from partners.models import Partner
from partners.services.members import with_administrator_invited, without_administrator
from web.admin.hubs import Line, list_url

TROUBLE = timedelta(days=30)
MOST = 1_000


def what_waits(*, user: Any, now: datetime) -> list[Line]:
    """Return the lines that this user may see; at most three statements."""
    found: list[Line] = []
    if user.has_perm("partners.view_partner"):
        found += _partners(now)
    if user.has_perm("outbox.view_outboxmessage"):
        found += _messages(now)
    if user.is_superuser:
        found += [Line(text) for text in failing_checks()]
    return found


def _partners(now: datetime) -> Iterable[Line]:
    """Count the partners that one statement finds, and those who have only to accept."""
    invited = with_administrator_invited(without_administrator(Partner.objects.all()), now)
    found = list(invited.values_list("is_administrator_invited", flat=True)[:MOST])
    count = len(found)
    if count:
        text = ngettext(
            "%(count)d partner without an administrator",
            "%(count)d partners without an administrator",
            count,
        )
        detail = gettext("%(count)d of them invited, not accepted yet") % {"count": sum(found)}
        url = list_url(Partner, {"state": "no_administrator"})
        yield Line(text % {"count": count} + (f" ({detail})" if any(found) else ""), url)


def _messages(now: datetime) -> Iterable[Line]:
    if is_delayed(now=now):
        url = list_url(OutboxMessage, {"state": "waiting"})
        yield Line(gettext("E-mails are late: is the worker running?"), url)
    count = OutboxMessage.objects.filter(dead_at__gte=now - TROUBLE)[:MOST].count()
    if count:
        text = ngettext(
            "%(count)d e-mail of the last 30 days is dead: refused, or it cannot be written",
            "%(count)d e-mails of the last 30 days are dead: refused, or they cannot be written",
            count,
        )
        yield Line(text % {"count": count}, list_url(OutboxMessage, {"state": "dead"}))


@lru_cache(maxsize=1)
def failing_checks() -> tuple[str, ...]:
    """Return what `manage.py check --deploy` says; it stays so while the program runs.

    The demo's settings are not those of a deployment.
    """
    found = checks.run_checks(include_deployment_checks=not settings.DEMO)
    return tuple(f"{one.id}: {one.msg}" for one in found if not one.is_silenced())
