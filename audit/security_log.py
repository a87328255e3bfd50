"""The security log: who saw or did what matters, one line of JSON each, without any secret."""

import json
import logging
from typing import Any

from django.utils import timezone

from web.origin import current_origin

_log = logging.getLogger("security")


def log_security_event(event: str, **facts: Any) -> None:
    """Write one line about what happened in the current request; `facts` are plain values.

    JSON escapes line breaks, so no fact can forge another line. It never takes a token, nor
    anybody's e-mail address.
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
