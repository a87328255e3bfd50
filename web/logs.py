"""What the log must never show."""

import logging
import re

_TOKEN_IN_PATH = re.compile(r"(/[iI]/)[^/\s?'\"]+")
_TRACEBACKS = logging.Formatter()


class RedactTokens(logging.Filter):
    """Replaces the token in invitation addresses: who holds it holds the offer."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the finished message and the traceback; the record is always kept."""
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
    """Return the text with every token replaced."""
    return _TOKEN_IN_PATH.sub(r"\1…", text)
