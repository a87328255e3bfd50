"""The security log: one line of JSON for each event, counted in the metrics too."""

import logging
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from web.logs import log_event
from web.origin import current_origin
from web.sampling import facts_of_sample

_log = logging.getLogger("security")
# Without metrics their library is not even loaded.
_count = import_string("web.metrics.count_event") if settings.METRICS_PORT else None


def log_security_event(event: str, **facts: Any) -> None:
    """Log one event with its moment, request and network address.

    Never pass a token or an e-mail address.
    """
    origin = current_origin()
    if _count is not None:
        _count(event, facts.get("code"))
    log_event(
        _log,
        event,
        at=timezone.now().isoformat(),
        request=origin.request_id,
        network_address=origin.network_address,
        **facts,
    )


def log_repeated_event(event: str, *, route: str, **facts: Any) -> None:
    """Log an event that a flood of requests would repeat, by sampling; all are counted."""
    sample = facts_of_sample(event, route)
    if sample is not None:
        log_security_event(event, route=route, **facts, **sample)
    elif _count is not None:
        _count(event, facts.get("code"))
