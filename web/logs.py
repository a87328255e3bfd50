"""Log lines: secrets are removed, and each has the id of its request."""

import logging
import re

from web.origin import current_origin

_TOKEN_IN_PATH = re.compile(r"(/[iI]/)[^/\s?'\"]+")
_TRACEBACKS = logging.Formatter()


class RedactTokens(logging.Filter):
    """Removes the token from invitation URLs, because a token is all that its bearer needs."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        redacted = redact(message)
        if redacted != message:
            record.msg, record.args = redacted, None
        if record.exc_info and not record.exc_text:
            record.exc_text = _TRACEBACKS.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True


def redact(text: str) -> str:
    return _TOKEN_IN_PATH.sub(r"\1…", text)


class AddRequestId(logging.Filter):
    """Adds the id that the error page shows, `-` outside of a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_origin().request_id or "-"
        return True
