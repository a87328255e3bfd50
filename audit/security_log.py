"""The security log: one line of JSON for each event that matters, without secrets."""

import json
import logging
from typing import Any

from django.utils import timezone

from web.origin import current_origin

_log = logging.getLogger("security")


def log_security_event(event: str, **facts: Any) -> None:
    """Write one line about the current request; `facts` are plain values.

    JSON escapes line breaks, so a value cannot forge a line. Never pass a token or an e-mail
    address.
    """
    origin = current_origin()
    line = {
        "event": event,
        "at": timezone.now().isoformat(),
        "request": origin.request_id,
        "address": origin.address,
        **facts,
    }
    _log.info(json.dumps(line))
