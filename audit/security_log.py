"""The security log: one line of JSON for each event that matters, without secrets."""

import json
import logging
from typing import Any

from django.utils import timezone

from web.origin import current_origin

_log = logging.getLogger("security")


def log_security_event(event: str, **facts: Any) -> None:
    """Write one line of JSON, in which no value can forge a second line.

    Never pass a token or an e-mail address.
    """
    origin = current_origin()
    line = {
        "event": event,
        "at": timezone.now().isoformat(),
        "request": origin.request_id,
        "network_address": origin.network_address,
        **facts,
    }
    _log.info(json.dumps(line))
